//! The repository's files as policies name them.

use std::cell::{Cell, OnceCell, RefCell};
use std::collections::HashMap;
use std::rc::Rc;
use std::sync::Arc;

use steadfast_resources::{Tree, TreeEntry};

use crate::diagnostics::{Code, Context, Reported, SourceId, Span, Spot};
use crate::expression::{Known, Library};
use crate::parse::{self, Document};
use crate::repository::{Repository, RepositoryError};

/// Reads files, each once.
pub(crate) struct Files<'a> {
    context: &'a Context,
    repository: &'a dyn Repository,
    library: Arc<Library>,
    paths: OnceCell<Vec<String>>,
    trees: RefCell<HashMap<String, Option<Arc<Tree>>>>,
    /// Parsed files, where they are asked for again.
    documents: RefCell<HashMap<String, Parsed>>,
    keep_documents: Cell<bool>,
}

/// What came of reading a TOML file; `None` where there is none.
type Parsed = Result<Option<(SourceId, Rc<Document>)>, Reported>;

impl<'a> Files<'a> {
    pub(crate) fn new(context: &'a Context, repository: &'a dyn Repository) -> Self {
        Self {
            context,
            repository,
            library: Arc::default(),
            paths: OnceCell::new(),
            trees: RefCell::default(),
            documents: RefCell::default(),
            keep_documents: Cell::new(false),
        }
    }

    /// Where templates and `file()` find what was fetched.
    pub(crate) fn library(&self) -> Arc<Library> {
        Arc::clone(&self.library)
    }

    fn unreadable(&self, error: &RepositoryError) -> Reported {
        self.context.error_without_place(Code::Repository, error.to_string()).report()
    }

    /// Every path, sorted; none where the repository cannot be read (which is reported).
    pub(crate) fn paths(&self) -> &[String] {
        self.paths.get_or_init(|| {
            let mut paths = self.repository.paths().unwrap_or_else(|error| {
                self.unreadable(&error);
                Vec::new()
            });
            paths.sort_unstable();
            paths
        })
    }

    /// The paths below the directory `directory`.
    pub(crate) fn below(&self, directory: &str) -> &[String] {
        let prefix = format!("{directory}/");
        let paths = self.paths();
        let start = paths.partition_point(|path| path.as_str() < prefix.as_str());
        let rest = paths.get(start..).unwrap_or_default();
        let count = rest.partition_point(|path| path.starts_with(&prefix));
        rest.get(..count).unwrap_or_default()
    }

    /// The file at `path`.
    pub(crate) fn read(&self, path: &str) -> Result<Option<Vec<u8>>, Reported> {
        self.repository.read(path).map_err(|error| self.unreadable(&error))
    }

    /// The text of the TOML file at `path`, added to the sources.
    pub(crate) fn source(&self, path: &str) -> Result<Option<SourceId>, Reported> {
        let Some(bytes) = self.read(path)? else { return Ok(None) };
        match String::from_utf8(bytes) {
            Ok(text) => Ok(Some(self.context.sources.add(path, text))),
            Err(error) => {
                let at = error.utf8_error().valid_up_to();
                let text = String::from_utf8_lossy(error.as_bytes()).into_owned();
                let source = self.context.sources.add(path, text);
                let spot = Spot::new(source, Span::new(&(at..at + 1)));
                let message = "this is not UTF-8 text";
                Err(self.context.error(Code::Syntax, spot, message).report())
            }
        }
    }

    /// From now on every file is parsed once, for many hosts.
    pub(crate) fn keep_documents(&self) {
        self.keep_documents.set(true);
    }

    /// The TOML file at `path`, parsed; `None` where there is none.
    pub(crate) fn document(&self, path: &str) -> Parsed {
        if let Some(known) = self.documents.borrow().get(path) {
            return known.clone();
        }
        let parsed = self.source(path).map(|source| {
            source.map(|source| (source, Rc::new(parse::parse(self.context, source))))
        });
        if self.keep_documents.get() {
            self.documents.borrow_mut().insert(path.to_owned(), parsed.clone());
        }
        parsed
    }

    /// The file or directory at `path`, if there is one.
    pub(crate) fn tree(&self, path: &str) -> Result<Option<Arc<Tree>>, Reported> {
        if let Some(known) = self.trees.borrow().get(path) {
            return Ok(known.clone());
        }
        let tree = match self.read(path)? {
            Some(content) => {
                Some(Tree::File { content: content.into(), executable: self.executable(path)? })
            }
            None => self.directory(path)?,
        };
        let tree = tree.map(Arc::new);
        self.trees.borrow_mut().insert(path.to_owned(), tree.clone());
        Ok(tree)
    }

    fn directory(&self, path: &str) -> Result<Option<Tree>, Reported> {
        let mut entries = Vec::new();
        for file in self.below(path) {
            let Some(content) = self.read(file)? else { continue };
            let relative = file.get(path.len() + 1..).unwrap_or_default();
            entries.push(TreeEntry {
                path: relative.to_owned(),
                content: content.into(),
                executable: self.executable(file)?,
            });
        }
        Ok((!entries.is_empty()).then_some(Tree::Directory(entries)))
    }

    fn executable(&self, path: &str) -> Result<bool, Reported> {
        self.repository.executable(path).map_err(|error| self.unreadable(&error))
    }

    /// Whether the library has, or now gets, the file at `path`.
    pub(crate) fn in_library(&self, path: &str) -> bool {
        loop {
            match self.library.file(path) {
                Some(Known::Missing) => return false,
                Some(_) => return true,
                None => {
                    self.fetch_wanted();
                }
            }
        }
    }

    /// Fetches what templates and `file()` asked for. Whether there was anything new to try again
    /// with.
    pub(crate) fn fetch_wanted(&self) -> bool {
        let wanted = self.library.take_wanted();
        let any = !wanted.is_empty();
        for path in wanted {
            let known = match self.read(&path) {
                Ok(Some(bytes)) => {
                    String::from_utf8(bytes).map_or(Known::Binary, |text| Known::Text(text.into()))
                }
                Ok(None) | Err(Reported) => Known::Missing,
            };
            self.library.keep(path, known);
        }
        any
    }
}
