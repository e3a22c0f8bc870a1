//! Whatever a repository contains, it is answered with a catalog or with errors at real places.

use proptest::prelude::*;

use super::{Memory, inputs, registry};

/// Pieces of policies, put together at random.
fn piece() -> impl Strategy<Value = String> {
    let fragments = prop::sample::select(vec![
        "[note.\"/a\"]\n",
        "[note.\"/{{ item }}\"]\n",
        "[bell.b]\n",
        "[bell.c]\n",
        "[params]\n",
        "[defaults.note]\n",
        "[module.m]\nsource = \"web\"\n",
        "[module.n]\nsource = \"base\"\n",
        "port = 80\n",
        "x = { required = true }\n",
        "mode = \"0644\"\n",
        "mode = 7\n",
        "count = \"{{ 1 + 1 }}\"\n",
        "content = \"{{ params.port }}\"\n",
        "content = \"{{ facts.nope }}\"\n",
        "content = \"{{\"\n",
        "content = '''{% for i in range(3) %}{{ i }}{% endfor %}'''\n",
        "when = \"item == 1\"\n",
        "when = \"true\"\n",
        "for_each = \"range(3)\"\n",
        "for_each = [1, 2]\n",
        "require = \"bell.b\"\n",
        "notify = [\"bell.*\", \"note./a\"]\n",
        "subscribe = \"module.m\"\n",
        "before = \"bell.c\"\n",
        "tags = [\"x\"]\n",
        "timeout = \"5m\"\n",
        "ignore = \"mode\"\n",
        "template = \"templates/t\"\n",
        "source = \"files\"\n",
        "ensure = \"absent\"\n",
        "\n",
        "= 3\n",
        "é = \"ü\"\n",
        "[\n",
    ]);
    prop::collection::vec(fragments, 0..14).prop_map(|fragments| fragments.concat())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    #[test]
    fn every_repository_gets_an_answer(web in piece(), base in piece()) {
        let site = "[[assign]]\nhosts = \"*\"\npolicies = [\"web\", \"base\"]\n";
        let files = [
            ("site.toml", site), ("policies/web/policy.toml", web.as_str()), ("policies/base.toml", base.as_str()),
            ("policies/web/templates/t", "{{ params.port }}"), ("policies/web/files/x", "x"),
        ];
        let repository = Memory::new(&files);
        let text = |path: &str| files.iter().find(|(name, _)| *name == path).map(|(_, text)| *text);
        let validated = crate::validate(&repository, &registry());
        let mut all = vec![validated];
        match crate::evaluate(&repository, &inputs(), &registry()) {
            Ok(catalog) => {
                for (index, resource) in (0_u32..).zip(&catalog.resources) {
                    prop_assert!(resource.dependencies.iter().all(|other| *other < index));
                    prop_assert!(resource.notifies.iter().all(|other| *other > index));
                }
                let again = crate::evaluate(&repository, &inputs(), &registry()).ok();
                prop_assert_eq!(again.map(|again| again.digest), Some(catalog.digest));
            }
            Err(errors) => {
                prop_assert!(errors.has_errors());
                all.push(errors);
            }
        }
        for diagnostic in all.iter().flatten() {
            diagnostic.render(true);
            if let Some(place) = &diagnostic.place {
                let text = text(&place.file).unwrap();
                prop_assert!(text.get(place.start as usize..place.end as usize).is_some());
                let line = text.split('\n').nth(place.line as usize - 1).unwrap();
                prop_assert_eq!(line, place.source_line.as_str());
            }
        }
    }

    #[test]
    fn integers_and_texts_survive_interpolation(number in any::<i64>(), text in "[^\"'\\\\{}%#\\p{Cc}]{0,20}") {
        let policy = format!(
            "[params]\nn = {number}\nt = '''{text}'''\n[note.\"/a\"]\ncount = \"{{{{ params.n }}}}\"\ncontent = \"{{{{ params.t }}}}\"\n"
        );
        let catalog = super::policy(&policy).unwrap();
        let note = super::note(&catalog, "note.\"/a\"");
        prop_assert_eq!(note.text.as_deref().unwrap(), text.as_str());
        let count = note.values.iter().find(|(name, _)| *name == "count").unwrap();
        prop_assert_eq!(&count.1, &steadfast_resources::Value::Integer(number));
    }

    #[test]
    fn one_expression_is_told_from_mixed_text(text in r#"(\{\{|\}\}|[a-z'" .|{}\[\]()%-]){0,12}"#) {
        if let Some(range) = crate::expression::only_expression(&text) {
            prop_assert!(text.starts_with("{{") && text.ends_with("}}"));
            prop_assert!(text.get(range).is_some());
        }
    }
}
