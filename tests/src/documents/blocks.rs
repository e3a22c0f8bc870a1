//! The fenced blocks of a Markdown text.

/// A fenced block.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Block {
    /// The first word of the info string.
    pub language: String,
    /// The second.
    pub mark: Option<String>,
    /// The third: a path in a policy repository.
    pub path: Option<String>,
    /// What is between the fences.
    pub text: String,
    /// The line of the opening fence, from 1.
    pub line: usize,
    /// The nearest heading above of the first or second level.
    pub section: String,
}

/// Every fenced block of `document`. Panics on one that is not closed.
pub fn blocks(document: &str) -> Vec<Block> {
    let mut found = Vec::new();
    let mut section = String::new();
    let mut open: Option<(String, Block)> = None;
    for (index, line) in document.lines().enumerate() {
        match open.take() {
            Some((fence, block)) if line.trim() == fence => found.push(block),
            Some((fence, mut block)) => {
                block.text.push_str(line);
                block.text.push('\n');
                open = Some((fence, block));
            }
            None if line.starts_with("```") => {
                let info = line.trim_start_matches('`');
                let fence = line.get(..line.len() - info.len()).unwrap_or_default().to_owned();
                let mut words = info.split_whitespace().map(str::to_owned);
                let block = Block {
                    language: words.next().unwrap_or_default(),
                    mark: words.next(),
                    path: words.next(),
                    text: String::new(),
                    line: index + 1,
                    section: section.clone(),
                };
                open = Some((fence, block));
            }
            None => {
                let heading = line.strip_prefix("# ").or_else(|| line.strip_prefix("## "));
                if let Some(heading) = heading {
                    heading.trim().clone_into(&mut section);
                }
            }
        }
    }
    if let Some((_, block)) = open {
        panic!("line {}: this block is not closed", block.line);
    }
    found
}

#[cfg(test)]
mod tests {
    use super::blocks;

    #[test]
    fn fences_of_every_length() {
        let document = "# A\n````md\n```toml\n```\n````\n## B\n### C\n```toml policy p/x.toml\n# no heading\n```\n";
        let found = blocks(document);
        assert_eq!(found.len(), 2);
        assert_eq!((found[0].language.as_str(), found[0].text.as_str()), ("md", "```toml\n```\n"));
        assert_eq!(found[0].section, "A");
        assert_eq!(found[1].mark.as_deref(), Some("policy"));
        assert_eq!(found[1].path.as_deref(), Some("p/x.toml"));
        assert_eq!((found[1].section.as_str(), found[1].line), ("B", 8));
    }

    #[test]
    #[should_panic(expected = "line 1: this block is not closed")]
    fn a_block_that_is_not_closed() {
        blocks("```toml\n");
    }
}
