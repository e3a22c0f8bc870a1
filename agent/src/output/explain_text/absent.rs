//! Why a host lacks a resource, as a person reads it.

use steadfast_policies::trace::{Absent, Reason};

use super::{Text, brief, lines_of, listed, literal};
use crate::output::printable;

impl Text {
    pub(super) fn absent(&mut self, absent: &Absent, host: &str) {
        let title = format!("Not on {}", printable(host));
        self.title(&title);
        let extent = &absent.declared;
        let place = lines_of(&extent.file, extent.line, extent.last_line);
        let policy = printable(&absent.policy);
        self.line(2, &format!("{} of policy {policy} declares it", printable(&place)));
        self.way(&absent.way);
        match &absent.reason {
            Reason::When(when) => self.condition(2, "when", when, "does not hold"),
            Reason::NoItems(each) => self.condition(2, "for_each", each, "has no items"),
            Reason::OtherItems(each) => {
                let title = literal(&absent.title);
                let outcome =
                    format!("none of its {} items makes {title} this title", brief(&each.value));
                self.condition(2, "for_each", each, &outcome);
            }
            Reason::OtherTitle { title, inputs } => {
                let line =
                    format!("as {}, which is {} here", literal(&absent.title), literal(title));
                self.line(2, &line);
                self.inputs(4, inputs);
            }
            Reason::ModuleWhen { module, when } => {
                let what = format!("module {}, when", printable(module));
                self.condition(2, &what, when, "does not hold");
            }
            Reason::ModuleNoItems { module, for_each } => {
                let what = format!("module {}, for_each", printable(module));
                self.condition(2, &what, for_each, "has no items");
            }
            Reason::OtherHosts { place, hosts } => {
                let line = format!(
                    "its policy is assigned to the hosts {}, not to this one  {}",
                    listed(hosts),
                    self.at(place)
                );
                self.line(2, &line);
            }
            Reason::AssignmentWhen { place, when } => {
                let line = format!("its policy is assigned under a condition  {}", self.at(place));
                self.line(2, &line);
                self.condition(4, "when", when, "does not hold");
            }
            Reason::Unused => self.line(2, "nothing assigns or uses its policy"),
        }
    }
}
