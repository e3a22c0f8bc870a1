use steadfast_resources::{Change, Shown};

use super::*;
use crate::drift::{Ending, Episode};
use crate::report::RunSummary;
use crate::report::{
    Counts, Outcome, Report, ResourceReport, ResourceState, Revision, SCHEMA, Scope,
};

const HOSTILE: &str = "/etc/</script><script>alert(1)</script><!--\u{202e}\u{1b}[2J&\"'";

fn report(number: usize, title: &str, diff: &str) -> Report {
    let mut change = Change::new("content", Shown::value("a"), Shown::value("b"));
    change.diff = Some(diff.to_owned());
    let name = |text: &str| text.to_owned();
    let blank = ResourceReport::blank(
        name("file"),
        name(title),
        name("p.toml"),
        1,
        ResourceState::Corrected,
    );
    Report {
        schema: SCHEMA,
        id: format!("run-{number:06}"),
        host: HOSTILE.to_owned(),
        trigger: "interval".to_owned(),
        mode: "enforce".to_owned(),
        agent_version: String::new(),
        started: "2026-01-01T00:00:00.000Z".to_owned(),
        duration: 0.25,
        revision: Revision {
            commit: Some("0123456789abcdef0123456789abcdef01234567".to_owned()),
            subject: Some(HOSTILE.to_owned()),
            ..Revision::default()
        },
        catalog: None,
        policies: Vec::new(),
        outcome: Outcome::Corrected,
        wanted: None,
        overrides: Vec::new(),
        scope: Scope::Host,
        focus: None,
        counts: Counts { total: 1, corrected: 1, ..Counts::default() },
        resources: vec![ResourceReport { changes: vec![change], drift: true, ..blank }],
        owed: Vec::new(),
        messages: vec![HOSTILE.to_owned()],
        previous: None,
    }
}

fn page_of(count: usize, title: &str, diff: &str) -> String {
    let reports: Vec<Report> = (0..count).map(|number| report(number, title, diff)).collect();
    let summaries: Vec<RunSummary> = reports.iter().map(RunSummary::of).collect();
    let episodes = reports
        .iter()
        .map(|report| {
            let mut episode = Episode::begin(report, &report.resources[0], None, None);
            episode.end(report, Ending::Corrected);
            episode
        })
        .collect();
    let written = "2026-01-02T00:00:00.000Z".to_owned();
    let mut data = PageData::new(&summaries, episodes, None, written, PageLimits::default());
    for report in reports {
        if !data.add(report) {
            break;
        }
    }
    page(&data).unwrap()
}

#[test]
fn nothing_from_the_machine_is_markup() {
    let page = page_of(2, HOSTILE, &format!("--- a\n+++ b\n-{HOSTILE}\n"));
    assert_eq!(page.matches("</script>").count(), 2, "the data's and the page's own");
    assert_eq!(page.matches("<script").count(), 2);
    assert!(!page.contains("<!--"));
    let title = page.split("<title>").nth(1).unwrap().split("</title>").next().unwrap();
    assert!(title.contains("&lt;/script&gt;") && title.contains("\\u{202e}"), "{title}");
    let data = page.split("id=\"data\">").nth(1).unwrap().split("</script>").next().unwrap();
    let data: serde_json::Value = serde_json::from_str(data).unwrap();
    assert_eq!(data["host"], HOSTILE, "and yet it is all there");
}

#[test]
fn the_policy_names_the_pages_own_script_and_style_and_nothing_else() {
    let page = page_of(1, "/etc/a", "");
    let policy = page.split("Security-Policy\" content=\"").nth(1).unwrap();
    let policy = policy.split('"').next().unwrap();
    assert!(policy.starts_with("default-src 'none'; script-src 'sha256-"), "{policy}");
    for forbidden in ["unsafe", "http", "data:", "*"] {
        assert!(!policy.contains(forbidden), "{policy}");
    }
    let body = page.replace("http-equiv", "").replace("http://www.w3.org/2000/svg", "");
    for address in ["http:", "https:", "src=", "href=\"/", "url(", "@import"] {
        assert!(!body.contains(address), "{address}");
    }
}

#[test]
fn the_page_is_bounded_however_much_there_is() {
    let long = format!("--- a\n+++ b\n{}", "+é long line of a difference\n".repeat(5_000));
    let page = page_of(12_000, "/etc/a", &long);
    assert!(page.len() < 16 << 20, "{}", page.len());
    assert!(page.contains("\"total_runs\":12000"));
    let data = page.split("id=\"data\">").nth(1).unwrap().split("</script>").next().unwrap();
    let data: serde_json::Value = serde_json::from_str(data).unwrap();
    assert_eq!(data["runs"].as_array().unwrap().len(), 10_000);
    assert_eq!(data["episodes"].as_array().unwrap().len(), 5_000);
    assert_eq!(data["episodes"][0]["clipped"], true);
}
