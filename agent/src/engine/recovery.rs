//! What a run that was cut off may have left behind: written down before, removed by the next one.

use steadfast_policies::Catalog;
use steadfast_resources::Registry;
use steadfast_resources::host::Host;

use super::plan::{Entry, Plan};
use crate::state::Places;

/// Where what is planned may leave something if the run is cut off.
pub(super) fn places(catalog: &Catalog, plan: &Plan) -> Places {
    let mut places = Places::new();
    for (resource, entry) in catalog.resources.iter().zip(&plan.entries) {
        if resource.common.enforce && matches!(entry, Entry::Planned(_)) {
            let of_resource = resource.kind.places(&resource.wanted);
            if !of_resource.is_empty() {
                let of_kind = places.entry(resource.reference.kind().to_owned()).or_default();
                of_kind.extend(of_resource);
            }
        }
    }
    places
}

/// Removes what a run that was cut off may have left: where the catalog's resources are, and at
/// these places. Tells what was removed, and what cannot be.
pub(super) fn recover(catalog: &Catalog, written: &Places, host: &mut dyn Host) -> Vec<String> {
    let mut messages = Vec::new();
    for resource in &catalog.resources {
        let places = resource.kind.places(&resource.wanted);
        match resource.kind.sweep(&places, host) {
            Ok(removed) => messages.extend(removed),
            Err(failure) => messages.push(format!("{}: {failure}", resource.reference)),
        }
    }
    // Of what has left the catalog. An unknown kind is that of another edition of this program.
    let registry = Registry::standard();
    for (name, places) in written {
        let Some(kind) = registry.kind(name) else { continue };
        for place in places {
            match kind.sweep(std::slice::from_ref(place), host) {
                Ok(removed) => messages.extend(removed),
                Err(failure) => messages.push(format!("{name} in {place}: {failure}")),
            }
        }
    }
    messages
}

#[cfg(test)]
mod tests {
    use std::panic::{AssertUnwindSafe, catch_unwind};
    use std::time::Duration;

    use steadfast_resources::host::FakeHost;
    use steadfast_resources::host::files::FakeNodeKind;

    use super::*;
    use crate::engine::testing::{catalog, run};
    use crate::engine::{Progress, Silent};
    use crate::report::ResourceReport;
    use crate::state::State;

    /// Ends the run in its middle, as a killed process would.
    struct Cut;

    impl Progress for Cut {
        fn planned(&mut self, _catalog: &Catalog, _plan: &Plan) -> bool {
            true
        }
        fn finished(&mut self, _resource: &ResourceReport) {
            panic!("cut off");
        }
        fn phase(&mut self, _name: &'static str, _took: Duration) {}
    }

    #[test]
    fn what_is_left_beside_a_file_that_is_no_longer_declared_goes() {
        let scratch = tempfile::tempdir().unwrap();
        let mut state = State::open(scratch.path()).unwrap();
        let mut host = FakeHost::scene();
        let before = catalog(
            "[file.\"/etc/one\"]\ncontent = \"1\"\n\
             [file.\"/srv/two\"]\ncontent = \"2\"\nenforce = false\n",
        );
        let cut = || drop(run(&before, &mut host, &mut state, &mut Cut));
        assert!(catch_unwind(AssertUnwindSafe(cut)).is_err());
        drop(state);

        // Another process, which has looked nowhere yet.
        let mut host = FakeHost::scene();
        let leftover = ".steadfast.0123456789abcdef0123456789abcdef.tmp";
        for directory in ["/etc", "/srv"] {
            let content = FakeNodeKind::File(b"half".to_vec());
            host.files.put(&format!("{directory}/{leftover}"), content, 0o600);
        }
        let mut state = State::open(scratch.path()).unwrap();
        let after = catalog("[service.sf-web]\nensure = \"running\"\n");
        let report = run(&after, &mut host, &mut state, &mut Silent).unwrap();
        let left: Vec<String> = host
            .files
            .paths()
            .map(ToString::to_string)
            .filter(|path| path.contains(leftover))
            .collect();
        assert_eq!(left, [format!("/srv/{leftover}")], "only where something was to change");
        let told = format!("removed /etc/{leftover}, which that run left");
        assert!(report.messages.contains(&told), "{:?}", report.messages);
        assert_eq!(state.interrupted_run().unwrap(), None);
        assert!(state.interrupted_places().unwrap().is_empty());
    }

    #[test]
    fn a_mark_is_added_to_without_forgetting() {
        let scratch = tempfile::tempdir().unwrap();
        let state = State::open(scratch.path()).unwrap();
        let of = |place: &str| Places::from([("file".to_owned(), [place.to_owned()].into())]);
        state.run_begins("1", &of("/a")).unwrap();
        state.run_adds("2", &of("/b")).unwrap();
        let all = Places::from([("file".to_owned(), ["/a".to_owned(), "/b".to_owned()].into())]);
        assert_eq!(state.interrupted_places().unwrap(), all);
        assert_eq!(state.interrupted_run().unwrap().as_deref(), Some("1"));
        state.run_begins("3", &of("/c")).unwrap();
        assert_eq!(state.interrupted_places().unwrap(), of("/c"));
    }
}
