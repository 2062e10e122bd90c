//! The parsed filter, rewritten so that jaq runs it as jq's manual has it: indexing, arithmetic,
//! updates and keys become calls of our own natives, whose names no filter can spell.

use jaq_core::load::lex::StrPart;
use jaq_core::load::parse::{self, BinaryOp, Pattern};
use jaq_core::load::{Arena, span};
use jaq_core::ops::Math;
use jaq_core::path::{Opt, Part, Path};

type Term<'s> = parse::Term<&'s str>;
type Def<'s> = parse::Def<&'s str>;

/// Holds the value of a right-hand side, which jq works out before the left.
const RIGHT: &str = "$!right";

pub(super) struct Rewrite<'s> {
    /// The text that `$__loc__` counts its lines in.
    code: &'s str,
    arena: &'s Arena,
    /// The definitions around the current place, and whether each calls itself.
    open: Vec<(&'s str, usize, bool)>,
    /// Every filter named so far, with the number of its arguments.
    pub(super) calls: Vec<(&'s str, usize)>,
}

impl<'s> Rewrite<'s> {
    pub(super) fn new(code: &'s str, arena: &'s Arena) -> Self {
        Rewrite { code, arena, open: Vec::new(), calls: Vec::new() }
    }

    pub(super) fn definition(&mut self, Def { name, args, body }: Def<'s>) -> Def<'s> {
        let before = self.calls.len();
        self.open.push((name, args.len(), false));
        let mut body = self.term(body);
        // `def f($x): x;` may name its argument without the dollar.
        for arg in &args {
            let bare = arg.trim_start_matches('$');
            if bare.len() < arg.len() && self.calls[before..].contains(&(bare, 0)) {
                let alias = Def { name: bare, args: Vec::new(), body: Term::Var(arg) };
                body = Term::Def(vec![alias], Box::new(body));
            }
        }
        if let Some((.., true)) = self.open.pop() {
            body = pipe(call("!depth", []), body);
        }
        Def { name, args, body }
    }

    pub(super) fn term(&mut self, term: Term<'s>) -> Term<'s> {
        match term {
            Term::Var(name) if name == "$__loc__" => self.place(name),
            Term::Id | Term::Recurse | Term::Num(_) | Term::Var(_) | Term::Break(_) => term,
            Term::Str(format, parts) => {
                self.calls.extend(format.map(|format| (format, 0)));
                let parts = parts.into_iter().map(|part| match part {
                    StrPart::Term(term) => StrPart::Term(self.term(term)),
                    literal => literal,
                });
                Term::Str(Some(format.unwrap_or("!text")), parts.collect())
            }
            Term::Arr(inner) => Term::Arr(inner.map(|inner| self.boxed(inner))),
            Term::Obj(entries) => {
                Term::Obj(entries.into_iter().map(|(k, v)| self.entry(k, v)).collect())
            }
            Term::Neg(inner) if matches!(*inner, Term::Num(_)) => Term::Neg(inner),
            Term::Neg(inner) => pipe(self.term(*inner), call("!negate", [])),
            Term::BinOp(left, op, right) => self.operation(*left, op, *right),
            Term::Label(name, inner) => Term::Label(name, self.boxed(inner)),
            Term::Fold(kind, source, pattern, args) => {
                let source = Box::new(listed(self.term(*source), &pattern));
                let pattern = self.pattern(pattern);
                let mut args: Vec<_> = args.into_iter().map(|arg| self.term(arg)).collect();
                // A step of `reduce` that gives several results keeps the last.
                if let ("reduce", Some(update)) = (kind, args.get_mut(1)) {
                    *update = call("_last", [std::mem::take(update)]);
                }
                Term::Fold(kind, source, pattern, args)
            }
            Term::TryCatch(body, catch) => {
                Term::TryCatch(self.boxed(body), catch.map(|catch| self.boxed(catch)))
            }
            Term::IfThenElse(branches, otherwise) => {
                let branches =
                    branches.into_iter().map(|(i, then)| (self.term(i), self.term(then)));
                let branches = branches.collect();
                Term::IfThenElse(branches, otherwise.map(|otherwise| self.boxed(otherwise)))
            }
            Term::Def(defs, rest) => {
                let defs = defs.into_iter().map(|def| self.definition(def)).collect();
                Term::Def(defs, self.boxed(rest))
            }
            Term::Call(name, args) => {
                let own = (name, args.len());
                self.calls.push(own);
                for (name, args, recursive) in &mut self.open {
                    *recursive |= (*name, *args) == own;
                }
                Term::Call(name, args.into_iter().map(|arg| self.term(arg)).collect())
            }
            Term::Path(head, path) => {
                let head = self.term(*head);
                path.0.into_iter().fold(head, |head, (part, opt)| self.step(head, part, opt))
            }
        }
    }

    fn boxed(&mut self, mut term: Box<Term<'s>>) -> Box<Term<'s>> {
        *term = self.term(std::mem::take(&mut term));
        term
    }

    /// `$__loc__`, an object with the line on which it stands.
    fn place(&self, name: &'s str) -> Term<'s> {
        let before = &self.code[..span(self.code, name).start];
        let line = self.arena.alloc((before.matches('\n').count() + 1).to_string());
        let file = (text("file"), Some(text("<top-level>")));
        Term::Obj(vec![file, (text("line"), Some(Term::Num(line)))])
    }

    fn entry(&mut self, key: Term<'s>, value: Option<Term<'s>>) -> (Term<'s>, Option<Term<'s>>) {
        match (key, value) {
            (Term::Var(name), None) if name == "$__loc__" => {
                (text("__loc__"), Some(self.place(name)))
            }
            (Term::Var(name), None) => (Term::Var(name), None),
            (key, None) => {
                let value = self.step(Term::Id, Part::Index(key.clone()), Opt::Essential);
                (self.key(key), Some(value))
            }
            (key, Some(value)) => (self.key(key), Some(self.term(value))),
        }
    }

    fn key(&mut self, key: Term<'s>) -> Term<'s> {
        match self.term(key) {
            key @ Term::Str(..) => key,
            key => pipe(key, call("!key", [])),
        }
    }

    fn operation(&mut self, left: Term<'s>, op: BinaryOp<&'s str>, right: Term<'s>) -> Term<'s> {
        let left = self.term(left);
        let right = self.term(right);
        match op {
            BinaryOp::Math(op) => bound(right, |right| pipe(left, call(native(op), [right]))),
            BinaryOp::Cmp(_) => bound(right, |right| binary(left, op, right)),
            BinaryOp::Update => call("!update", [left, right]),
            BinaryOp::Assign => bound(right, |right| call("!update", [left, right])),
            BinaryOp::UpdateMath(op) => {
                bound(right, |right| call("!update", [left, call(native(op), [right])]))
            }
            BinaryOp::UpdateAlt => bound(right, |right| {
                call("!update", [left, binary(Term::Id, BinaryOp::Alt, right)])
            }),
            BinaryOp::Pipe(Some(pattern)) => {
                let left = listed(left, &pattern);
                binary(left, BinaryOp::Pipe(Some(self.pattern(pattern))), right)
            }
            op => binary(left, op, right),
        }
    }

    fn pattern(&mut self, pattern: Pattern<&'s str>) -> Pattern<&'s str> {
        match pattern {
            Pattern::Var(name) => Pattern::Var(name),
            Pattern::Arr(items) => {
                Pattern::Arr(items.into_iter().map(|item| self.pattern(item)).collect())
            }
            Pattern::Obj(entries) => {
                let entries = entries.into_iter();
                Pattern::Obj(entries.map(|(k, item)| (self.key(k), self.pattern(item))).collect())
            }
        }
    }

    /// One `.key`, `[index]`, `[from:to]` or `[]` after `head`; `?` quiets it alone.
    fn step(&mut self, head: Term<'s>, part: Part<Term<'s>>, optional: Opt) -> Term<'s> {
        let after = |head, step| match optional {
            Opt::Essential => pipe(head, step),
            Opt::Optional => pipe(head, Term::TryCatch(Box::new(step), None)),
        };
        let key = match part {
            Part::Range(None, None) => {
                let all = Path(vec![(Part::Range(None, None), Opt::Essential)]);
                let all = Term::Path(Box::new(Term::Id), all);
                return after(head, pipe(call("!iterable", []), all));
            }
            Part::Index(key) => self.term(key),
            Part::Range(from, to) => {
                let mut end = |end: Option<_>| end.map_or(call("!null", []), |end| self.term(end));
                let ends = [("start", end(from)), ("end", end(to))];
                Term::Obj(ends.map(|(name, end)| (text(name), Some(end))).into())
            }
        };
        bound(key, |key| after(head, call("!at", [key])))
    }
}

fn call<'s, const N: usize>(name: &'s str, args: [Term<'s>; N]) -> Term<'s> {
    Term::Call(name, args.into())
}

fn text(literal: &str) -> Term<'_> {
    Term::Str(None, vec![StrPart::Str(literal)])
}

fn binary<'s>(left: Term<'s>, op: BinaryOp<&'s str>, right: Term<'s>) -> Term<'s> {
    Term::BinOp(Box::new(left), op, Box::new(right))
}

fn pipe<'s>(left: Term<'s>, right: Term<'s>) -> Term<'s> {
    match left {
        Term::Id => right,
        left => binary(left, BinaryOp::Pipe(None), right),
    }
}

/// `value as $!right | body`; a constant needs no variable.
fn bound<'s>(value: Term<'s>, body: impl FnOnce(Term<'s>) -> Term<'s>) -> Term<'s> {
    let is_constant = match &value {
        Term::Num(_) | Term::Var(_) | Term::Arr(None) => true,
        Term::Str(_, parts) => !parts.iter().any(|part| matches!(part, StrPart::Term(_))),
        Term::Neg(inner) => matches!(**inner, Term::Num(_)),
        _ => false,
    };
    match is_constant {
        true => body(value),
        false => binary(value, BinaryOp::Pipe(Some(Pattern::Var(RIGHT))), body(Term::Var(RIGHT))),
    }
}

/// What an array is taken apart for has to be one.
fn listed<'s>(value: Term<'s>, pattern: &Pattern<&'s str>) -> Term<'s> {
    match pattern {
        Pattern::Arr(_) => pipe(value, call("!list", [])),
        Pattern::Var(_) | Pattern::Obj(_) => value,
    }
}

fn native(op: Math) -> &'static str {
    match op {
        Math::Add => "!add",
        Math::Sub => "!subtract",
        Math::Mul => "!multiply",
        Math::Div => "!divide",
        Math::Rem => "!remainder",
    }
}
