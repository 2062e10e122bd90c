//! The parsed filter, rewritten so that jaq runs it as jq's manual has it: indexing, arithmetic,
//! updates and keys become calls of our own natives, whose names no filter can spell.

use jaq_core::load::lex::StrPart;
use jaq_core::load::parse::{BinaryOp, Def, Pattern, Term};
use jaq_core::load::{Arena, span};
use jaq_core::path::{Opt, Part};

use super::terms::{
    RIGHT, after, binary, bound, call, constant, joined, native, operation, pipe, text,
};

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

    pub(super) fn definition(&mut self, def: Def<&'s str>) -> Def<&'s str> {
        let Def { name, args, body } = def;
        let before = self.calls.len();
        self.open.push((name, args.len(), false));
        let mut body = self.term(body);
        // `def f($x): x;` may name its argument without the dollar.
        for arg in &args {
            let bare = arg.trim_start_matches('$');
            if bare.len() < arg.len() && self.calls[before..].contains(&(bare, 0)) {
                let alias = Def { name: bare, args: Vec::new(), body: Term::Var(*arg) };
                body = Term::Def(vec![alias], Box::new(body));
            }
        }
        if let Some((.., true)) = self.open.pop() {
            body = pipe(call("!depth", []), body);
        }
        Def { name, args, body }
    }

    pub(super) fn term(&mut self, term: Term<&'s str>) -> Term<&'s str> {
        match term {
            Term::Id | Term::Recurse | Term::Num(_) | Term::Break(_) | Term::Arr(None) => term,
            Term::Var(name) if name == "$__loc__" => self.place(name),
            Term::Var(_) => term,
            Term::Str(format, parts) => self.string(format, parts),
            Term::Arr(Some(inner)) => Term::Arr(Some(self.boxed(*inner))),
            Term::Obj(entries) => {
                Term::Obj(entries.into_iter().map(|(k, v)| self.entry(k, v)).collect())
            }
            Term::Neg(inner) => match *inner {
                Term::Num(_) => Term::Neg(inner),
                inner => pipe(self.term(inner), call("!neg", [])),
            },
            Term::BinOp(left, op, right) => self.operation(*left, op, *right),
            Term::Label(name, inner) => Term::Label(name, self.boxed(*inner)),
            Term::Fold(kind, source, pattern, args) => self.fold(kind, *source, pattern, args),
            Term::TryCatch(body, catch) => {
                Term::TryCatch(self.boxed(*body), catch.map(|catch| self.boxed(*catch)))
            }
            Term::IfThenElse(branches, otherwise) => Term::IfThenElse(
                branches
                    .into_iter()
                    .map(|(condition, then)| (self.term(condition), self.term(then)))
                    .collect(),
                otherwise.map(|otherwise| self.boxed(*otherwise)),
            ),
            Term::Def(defs, rest) => {
                let defs = defs.into_iter().map(|def| self.definition(def)).collect();
                Term::Def(defs, self.boxed(*rest))
            }
            Term::Call(name, args) => {
                self.named(name, args.len());
                Term::Call(name, args.into_iter().map(|arg| self.term(arg)).collect())
            }
            Term::Path(head, path) => {
                let head = self.term(*head);
                path.0
                    .into_iter()
                    .fold(head, |head, (part, optional)| self.step(head, part, optional))
            }
        }
    }

    fn boxed(&mut self, term: Term<&'s str>) -> Box<Term<&'s str>> {
        Box::new(self.term(term))
    }

    fn named(&mut self, name: &'s str, arity: usize) {
        self.calls.push((name, arity));
        for (open, args, recursive) in &mut self.open {
            *recursive |= (*open, *args) == (name, arity);
        }
    }

    /// `$__loc__`, an object with the line on which it stands.
    fn place(&self, name: &'s str) -> Term<&'s str> {
        let before = &self.code[..span(self.code, name).start];
        let line = self.arena.alloc((before.matches('\n').count() + 1).to_string());
        Term::Obj(vec![
            (text("file"), Some(text("<top-level>"))),
            (text("line"), Some(Term::Num(line))),
        ])
    }

    /// `"a\(f)b"` is a sum, so that the last `\(…)` is the outer loop.
    fn string(
        &mut self,
        format: Option<&'s str>,
        parts: Vec<StrPart<&'s str, Term<&'s str>>>,
    ) -> Term<&'s str> {
        if let Some(format) = format {
            self.named(format, 0);
        }
        let format = format.unwrap_or("!text");
        let mut sum = Term::Str(None, Vec::new());
        let mut literal = Vec::new();
        for part in parts {
            match part {
                StrPart::Term(term) => {
                    sum = joined(sum, std::mem::take(&mut literal));
                    let piece = pipe(self.term(term), call(format, []));
                    sum = operation(sum, "!add", piece);
                }
                StrPart::Str(text) => literal.push(StrPart::Str(text)),
                StrPart::Char(c) => literal.push(StrPart::Char(c)),
            }
        }
        joined(sum, literal)
    }

    fn entry(
        &mut self,
        key: Term<&'s str>,
        value: Option<Term<&'s str>>,
    ) -> (Term<&'s str>, Option<Term<&'s str>>) {
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

    fn key(&mut self, key: Term<&'s str>) -> Term<&'s str> {
        let key = self.term(key);
        match key {
            Term::Str(..) => key,
            key => pipe(key, call("!key", [])),
        }
    }

    fn operation(
        &mut self,
        left: Term<&'s str>,
        op: BinaryOp<&'s str>,
        right: Term<&'s str>,
    ) -> Term<&'s str> {
        let left = self.term(left);
        let right = self.term(right);
        match op {
            BinaryOp::Math(op) => operation(left, native(op), right),
            BinaryOp::Cmp(_) if constant(&right) => binary(left, op, right),
            BinaryOp::Cmp(_) => bound(right, binary(left, op, Term::Var(RIGHT))),
            BinaryOp::Assign => bound(right, call("!update", [left, Term::Var(RIGHT)])),
            BinaryOp::Update => call("!update", [left, right]),
            BinaryOp::UpdateMath(op) => {
                let new = call(native(op), [Term::Var(RIGHT)]);
                bound(right, call("!update", [left, new]))
            }
            BinaryOp::UpdateAlt => {
                let new = binary(Term::Id, BinaryOp::Alt, Term::Var(RIGHT));
                bound(right, call("!update", [left, new]))
            }
            BinaryOp::Pipe(Some(pattern)) => {
                let left = listed(left, &pattern);
                let pattern = self.pattern(pattern);
                binary(left, BinaryOp::Pipe(Some(pattern)), right)
            }
            BinaryOp::Pipe(None)
            | BinaryOp::Comma
            | BinaryOp::Or
            | BinaryOp::And
            | BinaryOp::Alt => binary(left, op, right),
        }
    }

    fn pattern(&mut self, pattern: Pattern<&'s str>) -> Pattern<&'s str> {
        match pattern {
            Pattern::Var(name) => Pattern::Var(name),
            Pattern::Arr(items) => {
                Pattern::Arr(items.into_iter().map(|item| self.pattern(item)).collect())
            }
            Pattern::Obj(entries) => Pattern::Obj(
                entries
                    .into_iter()
                    .map(|(key, item)| (self.key(key), self.pattern(item)))
                    .collect(),
            ),
        }
    }

    /// A step of `reduce` that gives several results keeps the last, and null if it gives none.
    fn fold(
        &mut self,
        kind: &'s str,
        source: Term<&'s str>,
        pattern: Pattern<&'s str>,
        args: Vec<Term<&'s str>>,
    ) -> Term<&'s str> {
        let source = Box::new(listed(self.term(source), &pattern));
        let pattern = self.pattern(pattern);
        let mut args: Vec<_> = args.into_iter().map(|arg| self.term(arg)).collect();
        if kind == "reduce"
            && let Some(update) = args.get_mut(1)
        {
            *update = call("!last", [std::mem::take(update)]);
        }
        Term::Fold(kind, source, pattern, args)
    }

    /// One `.key`, `[index]`, `[from:to]` or `[]` after `head`.
    fn step(
        &mut self,
        head: Term<&'s str>,
        part: Part<Term<&'s str>>,
        optional: Opt,
    ) -> Term<&'s str> {
        let key = match part {
            Part::Range(None, None) => return after(head, call("!each", []), optional),
            Part::Index(key) => self.term(key),
            Part::Range(from, to) => {
                let mut bound = |end: Option<_>| match end {
                    Some(end) => self.term(end),
                    None => call("!null", []),
                };
                let ends = [("start", bound(from)), ("end", bound(to))];
                Term::Obj(ends.map(|(name, end)| (text(name), Some(end))).into())
            }
        };
        if constant(&key) {
            after(head, call("!at", [key]), optional)
        } else {
            let step = call("!at", [Term::Var(RIGHT)]);
            bound(key, after(head, step, optional))
        }
    }
}

/// What an array is taken apart for has to be one.
fn listed<'s>(value: Term<&'s str>, pattern: &Pattern<&'s str>) -> Term<&'s str> {
    match pattern {
        Pattern::Arr(_) => pipe(value, call("!list", [])),
        Pattern::Var(_) | Pattern::Obj(_) => value,
    }
}
