//! Kinds for tests: `note` has an attribute of every type, `bell` can be notified.

use std::sync::Arc;

use steadfast_resources::host::{Host, View};
use steadfast_resources::{
    Action, AttributeDeclaration, AttributeReader, AttributeType, Autoedge, Failure, Identity,
    Kind, KindDeclaration, Pending, Planned, Provision, Refresh, Relations, Step, Text, Tree, Turn,
    Value,
};

pub(crate) struct Note;
pub(crate) struct Bell;

#[derive(Debug)]
pub(crate) struct WantedNote {
    pub(crate) path: String,
    pub(crate) absent: bool,
    pub(crate) text: Option<Text>,
    pub(crate) tree: Option<Arc<Tree>>,
    pub(crate) values: Vec<(&'static str, Value)>,
}

#[derive(Debug)]
pub(crate) struct WantedBell {
    pub(crate) name: String,
}

#[derive(Debug, serde::Serialize)]
pub(crate) struct Nothing;

impl std::fmt::Display for Nothing {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str("nothing")
    }
}

impl Action for Nothing {}

const STRING: AttributeType = AttributeType::String;

static NOTE: KindDeclaration = KindDeclaration {
    name: "note",
    summary: "A note, for tests.",
    title: "/path",
    attributes: &[
        AttributeDeclaration::new(
            "ensure",
            AttributeType::Enumeration(&["present", "absent", "directory"]),
            "",
        ),
        AttributeDeclaration::new("content", STRING, ""),
        AttributeDeclaration::new("template", AttributeType::TemplatePath, ""),
        AttributeDeclaration::new("source", AttributeType::RepositoryPath, ""),
        AttributeDeclaration::new("mode", STRING, ""),
        AttributeDeclaration::new("count", AttributeType::Integer, ""),
        AttributeDeclaration::new("flag", AttributeType::Boolean, ""),
        AttributeDeclaration::new("words", AttributeType::List(&STRING), ""),
        AttributeDeclaration::new("pairs", AttributeType::Table(&STRING), ""),
        AttributeDeclaration::new(
            "owner",
            AttributeType::AnyOf(&[AttributeType::String, AttributeType::Integer]),
            "",
        ),
        AttributeDeclaration::new("group", STRING, ""),
        AttributeDeclaration::new("password", STRING, "").secret(),
    ],
    example: "",
    conformance: "",
};

static BELL: KindDeclaration = KindDeclaration {
    name: "bell",
    summary: "A bell, for tests.",
    title: "name",
    attributes: &[AttributeDeclaration::new(
        "enable",
        AttributeType::AnyOf(&[AttributeType::Boolean, AttributeType::Enumeration(&["masked"])]),
        "",
    )],
    example: "",
    conformance: "",
};

impl Kind for Note {
    type Wanted = WantedNote;
    type Observed = ();
    type Action = Nothing;

    fn declaration(&self) -> &'static KindDeclaration {
        &NOTE
    }

    fn wanted(&self, title: &str, attributes: &mut AttributeReader<'_>) -> Option<WantedNote> {
        if !title.starts_with('/') {
            attributes.resource_error("the title must be an absolute path");
        }
        if attributes.has("content") && attributes.has("template") {
            attributes.error("template", "`content` and `template` exclude each other");
        }
        if attributes.text("mode").is_some_and(|mode| mode.parse::<u32>().is_err()) {
            attributes.error_with_hint("mode", "this is no mode", "write four digits");
        }
        if let Some(password) = attributes.text("password") {
            attributes.error("password", format!("{password:?} is too short"));
        }
        if attributes.has_errors() {
            return None;
        }
        let names = NOTE.attributes.iter().map(|attribute| attribute.name);
        Some(WantedNote {
            path: title.trim_end_matches('/').to_owned(),
            absent: attributes.text("ensure").is_some_and(|ensure| &**ensure == "absent"),
            text: attributes.text("content").or_else(|| attributes.text("template")).cloned(),
            tree: attributes.tree("source").cloned(),
            values: names
                .filter(|name| !matches!(*name, "content" | "template" | "source"))
                .filter_map(|name| Some((name, attributes.value(name)?.clone())))
                .collect(),
        })
    }

    fn relations(&self, wanted: &WantedNote) -> Relations {
        let after = vec![Autoedge::Above { kind: "note", path: wanted.path.clone().into() }];
        let identity = Identity::new("note", &*wanted.path);
        let leaf = wanted.path == "/leaf";
        Relations { leaf, ..Relations::new(identity, after, wanted.absent) }
    }

    fn provides(&self, _wanted: &WantedNote) -> Vec<Provision> {
        Vec::new()
    }

    fn observe(&self, _wanted: &WantedNote, _view: &View<'_>) -> Result<(), Failure> {
        Ok(())
    }

    fn plan(
        &self,
        _wanted: &WantedNote,
        (): (),
        _pending: &Pending<'_>,
    ) -> Result<Planned<Nothing>, Failure> {
        Ok(Planned::in_sync())
    }

    fn apply(
        &self,
        _wanted: &WantedNote,
        _step: &Step<&Nothing>,
        _host: &mut dyn Host,
        _turn: &mut Turn<'_>,
    ) -> Result<(), Failure> {
        Ok(())
    }
}

impl Kind for Bell {
    type Wanted = WantedBell;
    type Observed = ();
    type Action = Nothing;

    fn refresh(&self) -> Option<&dyn Refresh<Self>> {
        Some(self)
    }

    fn declaration(&self) -> &'static KindDeclaration {
        &BELL
    }

    fn wanted(&self, title: &str, attributes: &mut AttributeReader<'_>) -> Option<WantedBell> {
        if title.starts_with('-') {
            attributes.resource_error("a name cannot start with `-`");
            return None;
        }
        Some(WantedBell { name: title.to_owned() })
    }

    fn relations(&self, wanted: &WantedBell) -> Relations {
        let prefix = format!("/bells/{}/", wanted.name);
        let after = vec![Autoedge::Under { kind: "note", prefix }];
        Relations::new(Identity::new("bell", &*wanted.name), after, false)
    }

    fn provides(&self, _wanted: &WantedBell) -> Vec<Provision> {
        Vec::new()
    }

    fn observe(&self, _wanted: &WantedBell, _view: &View<'_>) -> Result<(), Failure> {
        Ok(())
    }

    fn plan(
        &self,
        _wanted: &WantedBell,
        (): (),
        _pending: &Pending<'_>,
    ) -> Result<Planned<Nothing>, Failure> {
        Ok(Planned::in_sync())
    }

    fn apply(
        &self,
        _wanted: &WantedBell,
        _step: &Step<&Nothing>,
        _host: &mut dyn Host,
        _turn: &mut Turn<'_>,
    ) -> Result<(), Failure> {
        Ok(())
    }
}

impl Refresh<Self> for Bell {
    fn refresh_needed(
        &self,
        _wanted: &WantedBell,
        _view: &View<'_>,
        _applied: &[&Nothing],
    ) -> Result<Option<String>, Failure> {
        Ok(Some("ring".to_owned()))
    }

    fn refresh(
        &self,
        _wanted: &WantedBell,
        _host: &mut dyn Host,
        _turn: &mut Turn<'_>,
    ) -> Result<(), Failure> {
        Ok(())
    }
}
