//! What expressions can use, with an example each whose output is tested. The names that are known
//! (and suggested) are read from here, and so is the reference.

mod built_in;
mod functions;
mod own;

use super::super::environment;

/// Something that an expression can use.
#[derive(Debug)]
pub struct FilterDeclaration {
    /// Its name.
    pub name: &'static str,
    /// What may be given to it, in parentheses; empty where nothing may.
    pub arguments: &'static str,
    /// What it does, in one sentence; Markdown.
    pub summary: &'static str,
    /// An expression that uses it.
    pub example: &'static str,
    /// What the example yields, as text.
    pub output: &'static str,
}

/// Everything that expressions can use.
#[derive(Debug)]
pub struct Declarations {
    /// Filters that Ansible and Salt authors know.
    pub own: &'static [FilterDeclaration],
    /// Filters of Jinja itself.
    pub built_in: &'static [FilterDeclaration],
    /// Tests, used as `value is name`.
    pub tests: &'static [FilterDeclaration],
    /// Functions.
    pub functions: &'static [FilterDeclaration],
    /// Methods of strings and maps.
    pub methods: &'static [FilterDeclaration],
}

/// Everything that expressions can use, for the reference.
pub fn declarations() -> Declarations {
    Declarations {
        own: own::OWN,
        built_in: built_in::BUILT_IN,
        tests: functions::TESTS,
        functions: functions::FUNCTIONS,
        methods: functions::METHODS,
    }
}

/// The names of all filters.
pub(crate) fn names() -> impl Iterator<Item = &'static str> {
    own::OWN.iter().chain(built_in::BUILT_IN).map(|declared| declared.name)
}

/// The names of all tests.
pub(crate) fn tests() -> impl Iterator<Item = &'static str> {
    functions::TESTS.iter().map(|declared| declared.name)
}

/// What `expression` yields without any names, as text, or what is wrong with it.
pub fn example(expression: &str) -> Result<String, String> {
    let environment =
        environment(&std::sync::Arc::default(), &crate::expression::Budget::default());
    let compiled = environment.compile_expression(expression);
    let value = compiled.and_then(|compiled| compiled.eval(()));
    value.map(|value| value.to_string()).map_err(|error| error.to_string())
}

const fn declared(
    name: &'static str,
    arguments: &'static str,
    summary: &'static str,
    example: &'static str,
    output: &'static str,
) -> FilterDeclaration {
    FilterDeclaration { name, arguments, summary, example, output }
}

#[cfg(test)]
mod examples {
    use super::*;

    #[test]
    fn every_example_yields_what_it_says() {
        let all = declarations();
        let mut wrong = Vec::new();
        for declared in
            [all.own, all.built_in, all.tests, all.functions, all.methods].into_iter().flatten()
        {
            assert!(declared.summary.ends_with('.'), "{}: not a sentence", declared.name);
            assert!(declared.example.contains(declared.name), "{}", declared.name);
            // `file` reads a policy's files; the language's own tests look at it.
            if declared.name == "file" {
                continue;
            }
            let found = example(declared.example);
            if found.as_deref() != Ok(declared.output) {
                wrong.push(format!("{}: {:?} is {found:?}", declared.example, declared.output));
            }
        }
        assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    }

    #[test]
    fn names_are_sorted_and_unique() {
        let all = declarations();
        for table in [all.own, all.built_in, all.tests, all.functions, all.methods] {
            let names: Vec<&str> = table.iter().map(|declared| declared.name).collect();
            let mut sorted = names.clone();
            sorted.sort_unstable();
            sorted.dedup();
            assert_eq!(names, sorted);
        }
    }
}
