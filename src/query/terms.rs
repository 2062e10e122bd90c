//! Pieces of filters, as `rewrite` puts them together.

use jaq_core::load::lex::StrPart;
use jaq_core::load::parse::{BinaryOp, Pattern, Term};
use jaq_core::ops::Math;
use jaq_core::path::Opt;

/// Holds the value of a right-hand side, which jq works out before the left.
pub(super) const RIGHT: &str = "$!right";

pub(super) fn call<'s, const N: usize>(name: &'s str, args: [Term<&'s str>; N]) -> Term<&'s str> {
    Term::Call(name, args.into())
}

pub(super) fn text(literal: &str) -> Term<&str> {
    Term::Str(None, vec![StrPart::Str(literal)])
}

pub(super) fn binary<'s>(
    left: Term<&'s str>,
    op: BinaryOp<&'s str>,
    right: Term<&'s str>,
) -> Term<&'s str> {
    Term::BinOp(Box::new(left), op, Box::new(right))
}

pub(super) fn pipe<'s>(left: Term<&'s str>, right: Term<&'s str>) -> Term<&'s str> {
    match left {
        Term::Id => right,
        left => binary(left, BinaryOp::Pipe(None), right),
    }
}

/// `value as $!right | body`
pub(super) fn bound<'s>(value: Term<&'s str>, body: Term<&'s str>) -> Term<&'s str> {
    binary(value, BinaryOp::Pipe(Some(Pattern::Var(RIGHT))), body)
}

/// `?` quiets the step alone, not what comes before it.
pub(super) fn after<'s>(head: Term<&'s str>, step: Term<&'s str>, optional: Opt) -> Term<&'s str> {
    match optional {
        Opt::Essential => pipe(head, step),
        Opt::Optional => pipe(head, Term::TryCatch(Box::new(step), None)),
    }
}

pub(super) fn operation<'s>(
    left: Term<&'s str>,
    name: &'static str,
    right: Term<&'s str>,
) -> Term<&'s str> {
    if constant(&right) {
        pipe(left, call(name, [right]))
    } else {
        bound(right, pipe(left, call(name, [Term::Var(RIGHT)])))
    }
}

/// The string so far and a literal piece behind it.
pub(super) fn joined<'s>(
    sum: Term<&'s str>,
    literal: Vec<StrPart<&'s str, Term<&'s str>>>,
) -> Term<&'s str> {
    match sum {
        Term::Str(None, parts) if parts.is_empty() => Term::Str(None, literal),
        sum if literal.is_empty() => sum,
        sum => operation(sum, "!add", Term::Str(None, literal)),
    }
}

/// One value, whatever the input is.
pub(super) fn constant(term: &Term<&str>) -> bool {
    match term {
        Term::Num(_) | Term::Var(_) | Term::Arr(None) => true,
        Term::Str(None, _) => true,
        Term::Neg(inner) => matches!(**inner, Term::Num(_)),
        _ => false,
    }
}

pub(super) fn native(op: Math) -> &'static str {
    match op {
        Math::Add => "!add",
        Math::Sub => "!subtract",
        Math::Mul => "!multiply",
        Math::Div => "!divide",
        Math::Rem => "!remainder",
    }
}
