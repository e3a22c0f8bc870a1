//! What a policy asks for, checked: from attributes to [`Wanted`]. Pure.

use std::sync::Arc;

use super::command::ValidateCommand;
use super::mode::ModeWish;
use super::neighbours::Neighbours;
use super::selection::Selection;
use crate::attributes::AttributeReader;
use crate::host::files::AbsolutePath;
use crate::value::{Text, Tree, Value};

/// What a policy asks for at one path.
#[derive(Debug)]
pub struct Wanted {
    pub(super) path: AbsolutePath,
    pub(super) shape: Shape,
    pub(super) owner: Option<Account>,
    pub(super) group: Option<Account>,
    pub(super) mode: Option<ModeWish>,
    pub(super) selinux: Option<Box<str>>,
    pub(super) validate: Option<Box<ValidateCommand>>,
    pub(super) force: bool,
    pub(super) replace: bool,
    pub(super) backup: bool,
    /// `None` where nothing is declared.
    pub(super) show_diff: Option<bool>,
}

/// What there should be.
#[derive(Debug)]
pub(super) enum Shape {
    /// Whatever is there; nothing is created.
    Unspecified,
    /// Anything; an empty file is created.
    Present,
    /// Nothing.
    Absent,
    /// A regular file, with this content if any is declared.
    File(Option<Content>),
    /// A directory.
    Directory,
    /// A directory with what the repository has below a directory of its own.
    Tree(Box<TreeWish>),
    /// A symbolic link that says this.
    Symlink(Box<str>),
}

/// The content of a file.
#[derive(Debug)]
pub(super) enum Content {
    /// Inline or rendered.
    Text(Text),
    /// A file of the repository.
    Blob { content: Arc<[u8]>, executable: bool },
    /// An https source.
    Download(Box<Download>),
}

/// An https source.
#[derive(Debug)]
pub(super) struct Download {
    pub(super) url: String,
    /// 64 hexadecimal digits in lower case.
    pub(super) sha256: String,
}

/// A tree of the repository to be copied.
#[derive(Debug)]
pub(super) struct TreeWish {
    pub(super) tree: Arc<Tree>,
    pub(super) selection: Selection,
    pub(super) purge: bool,
    pub(super) directory_mode: Option<ModeWish>,
    pub(super) neighbours: Neighbours,
}

/// A user or group.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Account {
    Name(Text),
    Number(u32),
}

const NOT_IN_TREES: &[&str] = &["purge", "recurse_limit", "exclude", "directory_mode"];

pub(super) fn wanted(title: &str, attributes: &mut AttributeReader<'_>) -> Option<Wanted> {
    let path = match AbsolutePath::parse(title) {
        Ok(path) => Some(path),
        Err(error) => {
            attributes.resource_error(error.to_string());
            None
        }
    };
    let shape = shape(attributes);
    let owner = account("owner", attributes);
    let group = account("group", attributes);
    let mode = mode("mode", attributes);
    let selinux = selinux(attributes);
    let validate = validate(attributes, shape.as_ref());
    if let (Some(path), Some(shape)) = (&path, &shape)
        && path.is_root()
        && !matches!(shape, Shape::Directory | Shape::Unspecified)
    {
        attributes.resource_error("`/` can only be a directory without a source");
    }
    let flag = |name: &str, default: bool| attributes.boolean(name).unwrap_or(default);
    let (force, replace) = (flag("force", false), flag("replace", true));
    let (backup, show_diff) = (flag("backup", true), attributes.boolean("show_diff"));
    if attributes.has_errors() {
        return None;
    }
    Some(Wanted {
        path: path?,
        shape: shape?,
        owner,
        group,
        mode,
        selinux,
        validate,
        force,
        replace,
        backup,
        show_diff,
    })
}

/// What there should be, from `ensure` and the attributes that say what it consists of.
fn shape(attributes: &mut AttributeReader<'_>) -> Option<Shape> {
    let ensure = attributes.text("ensure").map(Text::as_str);
    let given: Vec<&'static str> = ["content", "template", "source", "target"]
        .into_iter()
        .filter(|name| attributes.has(name))
        .collect();
    if ensure == Some("absent") {
        return Some(Shape::Absent);
    }
    let purge = attributes.boolean("purge") == Some(true);
    if let [first, second, ..] = given.as_slice() {
        attributes.error(second, format!("`{first}` and `{second}` exclude each other"));
        return None;
    }
    let shape = match (given.first().copied(), ensure) {
        (Some("target"), None | Some("symlink" | "present")) => target(attributes)?,
        (Some("source"), _) if attributes.tree("source").is_some_and(|tree| is_directory(tree)) => {
            if matches!(ensure, Some("file" | "symlink")) {
                attributes.error("source", "is a directory of the repository");
                return None;
            }
            tree(attributes)?
        }
        (Some("content" | "template" | "source"), None | Some("file" | "present")) => {
            Shape::File(Some(content(attributes)?))
        }
        (Some(name), Some(ensure)) => {
            attributes.error(name, format!("has no meaning with ensure = {ensure:?}"));
            return None;
        }
        (None, Some("symlink")) => {
            attributes.error("target", "is needed: what should the link say?");
            return None;
        }
        (None, Some("file")) => Shape::File(None),
        (None, Some("directory")) if purge => tree(attributes)?,
        (None, Some("directory")) => Shape::Directory,
        (None, Some("present")) => Shape::Present,
        _ => Shape::Unspecified,
    };
    if !matches!(shape, Shape::Tree(_)) {
        for name in NOT_IN_TREES.iter().filter(|name| attributes.has(name)).collect::<Vec<_>>() {
            attributes.error_with_hint(
                name,
                "has a meaning only for a directory with a `source` or with `purge`",
                "name a directory beside the policy as `source`",
            );
        }
    }
    if attributes.has("sha256") && !matches!(shape, Shape::File(Some(Content::Download(_)))) {
        attributes.error("sha256", "has a meaning only with an https source");
    }
    Some(shape)
}

fn is_directory(tree: &Tree) -> bool {
    matches!(tree, Tree::Directory(_))
}

fn target(attributes: &mut AttributeReader<'_>) -> Option<Shape> {
    let target = attributes.text("target")?;
    if target.is_empty() || target.contains('\0') || target.len() > 4095 {
        attributes.error("target", "a link must say between 1 and 4095 bytes, none of them NUL");
        return None;
    }
    Some(Shape::Symlink(target.as_str().into()))
}

fn content(attributes: &mut AttributeReader<'_>) -> Option<Content> {
    if let Some(text) = attributes.text("content").or_else(|| attributes.text("template")) {
        return Some(Content::Text(text.clone()));
    }
    if let Some(Tree::File { content, executable }) = attributes.tree("source").map(AsRef::as_ref) {
        return Some(Content::Blob { content: Arc::clone(content), executable: *executable });
    }
    let url = attributes.text("source")?;
    if !url.starts_with("https://") {
        attributes.error("source", "must be a path in the repository or an https address");
        return None;
    }
    let sha256 = attributes.text("sha256").map(|digest| digest.to_ascii_lowercase());
    match sha256 {
        Some(sha256)
            if sha256.len() == 64 && sha256.bytes().all(|digit| digit.is_ascii_hexdigit()) =>
        {
            Some(Content::Download(Box::new(Download { url: url.as_str().to_owned(), sha256 })))
        }
        Some(_) => {
            attributes.error("sha256", "must be 64 hexadecimal digits");
            None
        }
        None => {
            attributes.error_with_hint(
                "source",
                "an https source needs `sha256`",
                "add sha256 = \"…\" as `sha256sum` prints it",
            );
            None
        }
    }
}

fn tree(attributes: &mut AttributeReader<'_>) -> Option<Shape> {
    // Without a source there is nothing of our own in it, and everything else can be purged.
    let tree = match attributes.tree("source") {
        Some(tree) => Arc::clone(tree),
        None => Arc::new(Tree::Directory(Vec::new())),
    };
    let limit = match attributes.integer("recurse_limit").map(usize::try_from) {
        None => usize::MAX,
        Some(Ok(limit @ 1..)) => limit,
        Some(_) => {
            attributes.error("recurse_limit", "must be at least 1");
            return None;
        }
    };
    let globs: Vec<&str> =
        attributes.texts("exclude").unwrap_or_default().iter().map(|glob| glob.as_str()).collect();
    let selection = match Selection::new(&globs, limit) {
        Ok(selection) => selection,
        Err(error) => {
            attributes.error("exclude", error);
            return None;
        }
    };
    let directory_mode = match mode("directory_mode", attributes) {
        // It says of this very directory what it is to have.
        None if !attributes.has("source") => mode("mode", attributes),
        None => mode("mode", attributes).map(|mode| mode.for_directories()),
        given => given,
    };
    let purge = attributes.boolean("purge").unwrap_or(false);
    Some(Shape::Tree(Box::new(TreeWish {
        tree,
        selection,
        purge,
        directory_mode,
        neighbours: Neighbours::default(),
    })))
}

fn account(name: &'static str, attributes: &mut AttributeReader<'_>) -> Option<Account> {
    match attributes.value(name)? {
        Value::Integer(number) => match u32::try_from(*number) {
            // The highest number means "leave it" to chown(2).
            Ok(number) if number != u32::MAX => Some(Account::Number(number)),
            _ => {
                attributes.error(name, format!("{number} is no valid number for it"));
                None
            }
        },
        Value::Text(text) if !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit()) => {
            match text.parse::<u32>() {
                Ok(number) if number != u32::MAX => Some(Account::Number(number)),
                _ => {
                    attributes.error(name, format!("{text} is no valid number for it"));
                    None
                }
            }
        }
        Value::Text(text) => {
            let wrong = text.is_empty()
                || text.starts_with('-')
                || text.contains([':', '/', ',', '\0'])
                || text.contains(char::is_whitespace);
            if wrong {
                attributes.error(name, format!("{text:?} can be no account's name"));
                return None;
            }
            Some(Account::Name(text.clone()))
        }
        _ => None,
    }
}

fn mode(name: &'static str, attributes: &mut AttributeReader<'_>) -> Option<ModeWish> {
    match attributes.value(name)? {
        Value::Text(text) => match ModeWish::parse(text) {
            Ok(mode) => Some(mode),
            Err(error) => {
                attributes.error(name, error);
                None
            }
        },
        Value::Integer(_) => {
            attributes.error_with_hint(
                name,
                "must be a string: a number would be read as decimal",
                format!("write the mode as a string in octal, for instance {name} = \"0644\""),
            );
            None
        }
        _ => None,
    }
}

fn selinux(attributes: &mut AttributeReader<'_>) -> Option<Box<str>> {
    let context = attributes.text("selinux")?;
    // user:role:type, and a level that may contain further colons.
    if context.split(':').count() < 3 || context.contains(char::is_whitespace) {
        attributes.error_with_hint(
            "selinux",
            format!("{context:?} is no SELinux context"),
            "write it as `ls -Z` prints it: user:role:type:level",
        );
        return None;
    }
    Some(context.as_str().into())
}

fn validate(
    attributes: &mut AttributeReader<'_>,
    shape: Option<&Shape>,
) -> Option<Box<ValidateCommand>> {
    let text = attributes.text("validate")?;
    if !matches!(shape, None | Some(Shape::File(Some(_)) | Shape::Absent)) {
        attributes.error("validate", "has a meaning only for a file with content");
        return None;
    }
    match ValidateCommand::parse(text) {
        Ok(command) => Some(Box::new(command)),
        Err(error) => {
            attributes.error("validate", error);
            None
        }
    }
}
