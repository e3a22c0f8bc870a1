//! Evaluates the policy repository in a directory for a host that is made up, and tells how long
//! that took: `evaluate DIRECTORY [ROUNDS]`. For measuring; `steadfast validate` is the command for
//! people.

use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::time::Instant;

use steadfast_policies::{Inputs, Repository, RepositoryError};
use steadfast_resources::Registry;

struct Directory(PathBuf);

impl Directory {
    fn walk(&self, below: &str, paths: &mut Vec<String>) -> std::io::Result<()> {
        for entry in std::fs::read_dir(self.0.join(below))? {
            let entry = entry?;
            let name = entry.file_name().to_string_lossy().into_owned();
            let path = if below.is_empty() { name } else { format!("{below}/{name}") };
            if entry.file_type()?.is_dir() {
                self.walk(&path, paths)?;
            } else {
                paths.push(path);
            }
        }
        Ok(())
    }
}

fn failed(path: &str) -> impl Fn(std::io::Error) -> RepositoryError + '_ {
    move |error| RepositoryError { path: path.to_owned(), reason: error.to_string() }
}

impl Repository for Directory {
    fn paths(&self) -> Result<Vec<String>, RepositoryError> {
        let mut paths = Vec::new();
        self.walk("", &mut paths).map_err(failed("."))?;
        paths.sort();
        Ok(paths)
    }
    fn read(&self, path: &str) -> Result<Option<Vec<u8>>, RepositoryError> {
        let path_here = self.0.join(path);
        if !Path::is_file(&path_here) {
            return Ok(None);
        }
        std::fs::read(path_here).map(Some).map_err(failed(path))
    }
    fn executable(&self, _path: &str) -> Result<bool, RepositoryError> {
        Ok(false)
    }
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut arguments = std::env::args().skip(1);
    let directory = Directory(arguments.next().unwrap_or_else(|| ".".to_owned()).into());
    let rounds: u32 = arguments.next().map_or(Ok(1), |rounds| rounds.parse())?;
    let registry = Registry::standard();
    let facts = serde_json::json!({
        "hostname": "bench", "fqdn": "bench.example.com", "os": { "id": "debian", "family": "debian" },
    });
    let inputs = Inputs { facts, ..Inputs::default() };
    let mut output = std::io::stdout();
    for _ in 0..rounds {
        let start = Instant::now();
        let catalog = steadfast_policies::evaluate(&directory, &inputs, &registry)?;
        let elapsed = start.elapsed();
        writeln!(
            output,
            "{} resources, {} edges in {:.1} ms, digest {}",
            catalog.resources.len(),
            catalog.edges.len(),
            elapsed.as_secs_f64() * 1000.0,
            catalog.digest
        )?;
    }
    Ok(())
}
