//! From declared checks to checks with all values known.

use super::expand::Items;
use super::probe::{Faulty, Values, probe, time};
use super::texts::{Locals, Outcome};
use super::{Evaluator, Frame};
use crate::check::Check;
use crate::diagnostics::{Code, Reported, Spot};
use crate::parse::{CheckDeclaration, Name};

/// The longest that a check may take to pass, in seconds.
const MAXIMUM_WITHIN: u64 = 3600;

impl Evaluator<'_> {
    /// Adds the checks that `declarations` of `frame`'s policy make.
    pub(crate) fn checks(&mut self, frame: &Frame<'_>, declarations: &[CheckDeclaration]) {
        for declaration in declarations {
            if self.repeated(frame, declaration).is_err() {
                self.unsound = true;
            }
        }
    }

    fn repeated(
        &mut self,
        frame: &Frame<'_>,
        declaration: &CheckDeclaration,
    ) -> Result<(), Reported> {
        let (when, each) = (declaration.when.as_ref(), declaration.for_each.as_ref());
        let Some((items, when)) = self.repetition(frame, when, each)? else { return Ok(()) };
        let each = match items {
            Items::Single => vec![frame.locals.clone()],
            Items::Unknown => vec![frame.locals.with_unknown_item()],
            Items::Each(items) => {
                items.into_iter().map(|item| frame.locals.with_item(item)).collect()
            }
        };
        for locals in each {
            if let Some(when) = when
                && !self.condition(frame, &locals, when)?
            {
                continue;
            }
            if let Some((check, spot)) = self.one_check(frame, &locals, declaration)? {
                self.unique_check(&check, spot)?;
                self.checks.push((check, spot));
            }
        }
        Ok(())
    }

    fn unique_check(&self, check: &Check, spot: Spot) -> Result<(), Reported> {
        let same = |(known, _): &&(Check, Spot)| {
            known.name == check.name
                && known.policy == check.policy
                && known.modules == check.modules
        };
        // When checking, a policy is expanded once for each use that is looked at.
        let Some((_, first)) = self.checks.iter().find(same).filter(|_| !self.check()) else {
            return Ok(());
        };
        let message = format!("check `{}` is defined twice", check.name);
        let draft = self.context.error(Code::Duplicate, spot, message);
        let hint = "with `for_each`, make the names differ: `[check.\"site {{ item.name }}\"]`";
        Err(draft.related(*first, "first defined here").hint(hint.to_owned()).report())
    }

    /// The check with the names of `locals`; `None` where not all is known (when checking).
    fn one_check(
        &self,
        frame: &Frame<'_>,
        locals: &Locals,
        declaration: &CheckDeclaration,
    ) -> Result<Option<(Check, Spot)>, Reported> {
        let spot = frame.spot(declaration.name_span);
        let name = match self.string(frame, locals, &declaration.name, declaration.name_span)? {
            Outcome::Known(name) => Some(name.to_string()),
            Outcome::Guess(_) | Outcome::Unknown => None,
        };
        let bad = |name: &String| name.is_empty() || name.chars().any(char::is_control);
        if name.as_ref().is_some_and(bad) {
            let message = "a check's name cannot be empty or have control characters";
            return Err(self.context.error(Code::InvalidTitle, spot, message).report());
        }
        let mut values: Values<'_> = Vec::with_capacity(declaration.given.len());
        let mut outcome = Ok(());
        for given in &declaration.given {
            let Name::Own(declared) = given.name else { continue };
            match self.typed(frame, locals, declared, given) {
                Ok(evaluated) => {
                    let value = evaluated.value.filter(|_| evaluated.certain);
                    values.push((declared.name, value, &given.item));
                }
                Err(reported) => outcome = Err(reported),
            }
        }
        outcome?;
        let tell = |faulty: Faulty| {
            let spot = frame.spot(faulty.span.unwrap_or(declaration.name_span));
            self.context.error(Code::InvalidValue, spot, faulty.message).hint(faulty.hint).report()
        };
        let within = time(&values, "within", 30, MAXIMUM_WITHIN).map_err(tell)?;
        let interval = time(&values, "interval", 1, MAXIMUM_WITHIN).map_err(tell)?;
        let probe = probe(&values).map_err(tell)?;
        if let (Some(within), Some(interval)) = (within, interval)
            && interval > within
        {
            let key = if values.iter().any(|(name, ..)| *name == "interval") {
                "interval"
            } else {
                "within"
            };
            let span = values.iter().find(|(name, ..)| *name == key).map(|(.., item)| item.span);
            let message = format!(
                "`interval` ({} s) is longer than `within` ({} s): the check is tried once",
                interval.as_secs(),
                within.as_secs()
            );
            return Err(tell(Faulty { message, hint: None, span }));
        }
        let (Some(name), Some(probe), Some(within), Some(interval)) =
            (name, probe, within, interval)
        else {
            return Ok(None);
        };
        let policy = frame.origin.policies.first().map(ToString::to_string);
        let modules = frame.origin.modules.iter().map(ToString::to_string).collect();
        let place = self.context.sources.place(spot);
        let check = Check { policy, modules, name, probe, within, interval, place };
        Ok(Some((check, spot)))
    }
}
