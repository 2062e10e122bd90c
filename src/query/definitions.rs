//! The definitions that a filter needs, of jaq's and of our own, and no others.

use jaq_core::load::parse::{Def, Term};
use jaq_core::load::{self, Arena};

use super::rewrite::Rewrite;

/// The name under which the filter itself stands behind the definitions.
pub(super) const MAIN: &str = "_main";

pub(super) const PRELUDE: &str = include_str!("prelude.jq");

/// The filter, rewritten, as the last definition; before it all that it calls, however indirectly.
pub(super) fn with_main<'s>(
    code: &'s str,
    filter: Term<&'s str>,
    arena: &'s Arena,
) -> Vec<Def<&'s str>> {
    let theirs = jaq_core::defs().chain(jaq_std::defs()).chain(jaq_json::defs());
    let mut all: Vec<Option<Def<&'s str>>> = theirs.map(Some).collect();
    let first_own = all.len();
    let own = load::parse(PRELUDE, |parser| parser.defs()).expect("the prelude is well-formed");
    all.extend(own.into_iter().map(Some));
    let names: Vec<_> = all.iter().flatten().map(|def| (def.name, def.args.len())).collect();

    let mut needed = vec![false; all.len()];
    let main = Def { name: MAIN, args: Vec::new(), body: filter };
    let mut rewrite = Rewrite::new(code, arena);
    let main = rewrite.definition(main);
    let mut calls: Vec<_> = rewrite.calls.iter().map(|call| (*call, all.len())).collect();
    while let Some((call, before)) = calls.pop() {
        let Some(found) = names[..before].iter().rposition(|name| *name == call) else {
            continue;
        };
        if std::mem::replace(&mut needed[found], true) {
            continue;
        }
        // jaq's own definitions are written for jaq as it is.
        let mut rewrite = Rewrite::new(PRELUDE, arena);
        all[found] = all[found].take().map(|def| match found < first_own {
            true => {
                rewrite.definition(def.clone());
                def
            }
            false => rewrite.definition(def),
        });
        calls.extend(rewrite.calls.iter().map(|call| (*call, found)));
    }
    let kept = all.into_iter().zip(needed).filter(|(_, needed)| *needed);
    kept.filter_map(|(def, _)| def).chain([main]).collect()
}
