//! Calls inside expressions: of the library, and of nothing else.

use flow_core::expr::{Expr, Function};
use flow_core::ty::{Media, Type};
use flow_core::value::Value;
use flow_syntax::ast::{self, ExprKind, TextPart};
use flow_syntax::diagnostic::{Certainty, Edit, nearest};
use flow_syntax::span::{Span, Spelling};

use super::expr::article;
use super::library::{Args, parameters};
use super::{Checker, Typed};
use crate::codes;
use crate::project::{PathFault, resolve};

/// What can be called besides the functions of the library.
const FORMS: [&str; 4] = ["template", "file", "fixture", "secret"];

/// Functions that people know from elsewhere, and what they write here.
const HABITS: [(&str, &str); 36] = [
    ("str", "a text with a hole: `\"${x}\"`"),
    ("string", "a text with a hole: `\"${x}\"`"),
    ("to_string", "a text with a hole: `\"${x}\"`"),
    ("toString", "a text with a hole: `\"${x}\"`"),
    ("text", "a text with a hole: `\"${x}\"`"),
    (
        "concat",
        "a text with holes, `\"${a}${b}\"`, or `flatten([a, b])` for lists",
    ),
    ("append", "`flatten([xs, [x]])`"),
    ("push", "`flatten([xs, [x]])`"),
    ("extend", "`flatten([xs, ys])`"),
    (
        "print",
        "a `label \"…\"` behind a call, which is shown while it runs",
    ),
    (
        "echo",
        "a `label \"…\"` behind a call, which is shown while it runs",
    ),
    (
        "log",
        "a `label \"…\"` behind a call, which is shown while it runs",
    ),
    ("length", "`len(x)`"),
    ("size", "`len(x)`"),
    ("count", "`len(x)`"),
    ("strlen", "`len(x)`"),
    ("map", "`[f(x) for x in xs]`"),
    ("filter", "`[x for x in xs if …]`"),
    ("reduce", "`repeat`, or `sum`, `min`, `max`, `any`, `all`"),
    ("fold", "`repeat`, or `sum`, `min`, `max`, `any`, `all`"),
    ("forEach", "`for x in xs { … }`"),
    ("sorted", "`sort(xs)`"),
    ("reversed", "`reverse(xs)`"),
    ("slice", "`take(skip(xs, from), count)`"),
    ("int", "`round(x)`, or `round(number(text) ?? 0.0)`"),
    (
        "float",
        "`number(text)`, which may be missing; an `int` becomes a `float` by itself",
    ),
    ("toUpperCase", "`upper(text)`"),
    ("toLowerCase", "`lower(text)`"),
    ("strip", "`trim(text)`"),
    ("now", "`run.started`: there is no other clock"),
    ("today", "`date(run.started)`: there is no other clock"),
    (
        "random",
        "`pick(list)` or `shuffle(list)`: they draw by the run's seed",
    ),
    ("randint", "`pick(range(n))`: it draws by the run's seed"),
    ("choice", "`pick(list)`: it draws by the run's seed"),
    (
        "env",
        "an input of the workflow; a secret is `secret(\"NAME\")`",
    ),
    (
        "getenv",
        "an input of the workflow; a secret is `secret(\"NAME\")`",
    ),
];

impl Checker<'_> {
    /// Checks a call inside an expression.
    pub(super) fn inner_call(
        &mut self,
        call: &ast::Call,
        span: Span,
        wanted: Option<&Type>,
    ) -> Typed {
        let name = call.path.text.as_str();
        if let Some(function) = Function::from_name(name) {
            self.forbid_type(call);
            return match self.in_order(call, function, span) {
                Some(trees) => {
                    let args = Args {
                        function,
                        trees,
                        span,
                    };
                    self.library(&args, wanted)
                }
                None => self.only_look(call),
            };
        }
        match name {
            "template" => self.form_template(call, span),
            "file" => self.form(call, span, |checker, path| checker.file_path(path, wanted)),
            "fixture" => self.form(call, span, |checker, path| checker.fixture(path, wanted)),
            "secret" => self.form(call, span, Self::secret),
            _ if self.is_effectful(call) => {
                self.report_nested(call, span);
                self.only_look(call)
            }
            _ => {
                self.report_unknown_function(call);
                self.only_look(call)
            }
        }
    }

    /// Returns whether a call is one of a step or of a workflow.
    pub(super) fn is_effectful(&self, call: &ast::Call) -> bool {
        let name = call.path.text.as_str();
        self.world.signatures.steps.contains_key(name) || self.workflow_named(name)
    }

    /// Checks the arguments of a call that can't be one, for what is wrong in
    /// them.
    fn only_look(&mut self, call: &ast::Call) -> Typed {
        for arg in &call.args {
            // A name may be an enum value, which only its place would tell.
            if !matches!(arg.value.kind, ExprKind::Name(_)) {
                self.expr(&arg.value, None);
            } else if let ExprKind::Name(name) = &arg.value.kind {
                self.value(name);
            }
        }
        Typed::unknown()
    }

    fn forbid_type(&mut self, call: &ast::Call) {
        if let Some(ty) = &call.type_arg {
            let message = format!("`{}` takes no type", call.path.text);
            self.report(Self::error(codes::ARGUMENTS, ty.span, message));
        }
    }

    /// Puts the arguments in the order of their parameters.
    fn in_order<'t>(
        &mut self,
        call: &'t ast::Call,
        function: Function,
        span: Span,
    ) -> Option<Vec<&'t ast::Expr>> {
        let (names, least) = parameters(function);
        let mut found: Vec<Option<&ast::Expr>> = vec![None; names.len()];
        let mut next = 0;
        for arg in &call.args {
            let at = match &arg.name {
                None => {
                    next += 1;
                    next - 1
                }
                Some(name) => {
                    let Some(at) = names.iter().position(|known| *known == name.text) else {
                        self.report_no_parameter(name, function, names);
                        return None;
                    };
                    at
                }
            };
            let Some(slot) = found.get_mut(at) else {
                self.report_arity(call, function, span);
                return None;
            };
            if slot.replace(&arg.value).is_some() {
                let message = format!("`{}` is given twice", names[at]);
                self.report(Self::error(codes::ARGUMENTS, arg.value.span, message));
                return None;
            }
        }
        let given = found.iter().take_while(|slot| slot.is_some()).count();
        let total = found.iter().flatten().count();
        if given < least || given < total {
            self.report_arity(call, function, span);
            return None;
        }
        Some(found.into_iter().flatten().collect())
    }

    fn report_no_parameter(&mut self, name: &ast::Name, function: Function, names: &[&str]) {
        let message = format!("`{}` has no parameter `{}`", function.name(), name.text);
        let mut diagnostic = Self::error(codes::ARGUMENTS, name.span, message);
        diagnostic = match nearest(&name.text, names.iter().copied()) {
            Some(near) => diagnostic.help(format!("did you mean `{near}`?")).fix(
                Certainty::Likely,
                format!("write `{near}`"),
                name.span,
                near,
            ),
            None => diagnostic.help(usage(function)),
        };
        self.report(diagnostic);
    }

    fn report_arity(&mut self, call: &ast::Call, function: Function, span: Span) {
        let (names, least) = parameters(function);
        let wanted = match (least, names.len()) {
            (1, 1) => "one argument".to_owned(),
            (a, b) if a == b => format!("{a} arguments"),
            (a, b) => format!("{a} or {b} arguments"),
        };
        let message = format!(
            "`{}` takes {wanted}, and {} given",
            function.name(),
            match call.args.len() {
                0 => "none is".to_owned(),
                1 => "one is".to_owned(),
                count => format!("{count} are"),
            }
        );
        let diagnostic = Self::error(codes::ARGUMENTS, span, message).help(usage(function));
        self.report(diagnostic);
    }

    fn report_nested(&mut self, call: &ast::Call, span: Span) {
        let name = call.path.text.as_str();
        let mut diagnostic = Self::error(
            codes::NESTED_CALL,
            span,
            format!("`{name}` is a step, and a step stands in a line of its own"),
        );
        if self.workflow_named(name) {
            diagnostic.message =
                format!("`{name}` is a workflow, and its call stands in a line of its own");
        }
        let last = name.rsplit('.').next().unwrap_or(name);
        let mut fresh = last.to_owned();
        let mut count = 2;
        while self.scopes.bound(&fresh).is_some() {
            fresh = format!("{last}{count}");
            count += 1;
        }
        diagnostic = diagnostic.help(format!(
            "give it a name: `{fresh} = {name}(…)`, and write `{fresh}` here"
        ));
        let spelling = self.spelling();
        let before = self.stmt.filter(|stmt| stmt.source == span.source);
        if let (Some(stmt), Some(written), Spelling::Flow) = (before, self.written(span), spelling)
        {
            let indent = self.indent_of(stmt);
            let edits = vec![
                Edit {
                    span: stmt.before(),
                    text: format!("{fresh} = {written}\n{indent}"),
                },
                Edit {
                    span,
                    text: fresh.clone(),
                },
            ];
            let title = format!("give it the name `{fresh}`");
            diagnostic = diagnostic.fix_all(Certainty::Likely, title, edits);
        }
        self.report(diagnostic);
    }

    /// Returns the blanks before a statement.
    fn indent_of(&self, stmt: Span) -> String {
        let head = Span {
            start: 0,
            end: stmt.start,
            ..stmt
        };
        let head = self.written(head).unwrap_or_default();
        let line = head.rsplit('\n').next().unwrap_or_default();
        if line.chars().all(|c| c == ' ' || c == '\t') {
            line.to_owned()
        } else {
            String::new()
        }
    }

    fn report_unknown_function(&mut self, call: &ast::Call) {
        let name = call.path.text.as_str();
        let span = call.path.span;
        let message = format!("there is no function `{name}`");
        let mut diagnostic = Self::error(codes::UNKNOWN_FUNCTION, span, message);
        let habit = HABITS.iter().find(|(habit, _)| *habit == name);
        if let Some((_, cure)) = habit {
            diagnostic = diagnostic.help(format!("here one writes {cure}"));
            return self.report(diagnostic);
        }
        let root = name.split('.').next().unwrap_or(name);
        if name.contains('.') && self.scopes.bound(root).is_some() {
            let method = name.rsplit('.').next().unwrap_or(name);
            let rest = name
                .strip_suffix(method)
                .unwrap_or(root)
                .trim_end_matches('.');
            diagnostic.message =
                format!("`{rest}` is a value, and values have no functions of their own");
            if Function::from_name(method).is_some() {
                let rest = match call.args.as_slice() {
                    [] => rest.to_owned(),
                    [first, .., last] | [first @ last] => {
                        let first = first
                            .name
                            .as_ref()
                            .map_or(first.value.span, |name| name.span);
                        let args = Span {
                            end: last.value.span.end,
                            ..first
                        };
                        format!("{rest}, {}", self.written(args).unwrap_or("…"))
                    }
                };
                diagnostic = diagnostic.help(format!("write `{method}({rest})`"));
            }
            return self.report(diagnostic);
        }
        let functions = Function::ALL.iter().map(|function| function.name());
        let steps = self.world.signatures.steps.keys().map(|name| &**name);
        let scope = self.world.program.file(self.file);
        let workflows = scope.workflows.keys().map(String::as_str);
        let all = functions.chain(FORMS).chain(steps).chain(workflows);
        if let Some(near) = nearest(name, all) {
            diagnostic = diagnostic.help(format!("did you mean `{near}`?")).fix(
                Certainty::Likely,
                format!("write `{near}`"),
                span,
                near,
            );
        }
        self.report(diagnostic);
    }

    /// Checks a form that takes one argument.
    fn form(
        &mut self,
        call: &ast::Call,
        span: Span,
        check: impl FnOnce(&mut Self, &ast::Expr) -> Typed,
    ) -> Typed {
        self.forbid_type(call);
        let name = &call.path.text;
        if let [arg] = &call.args[..] {
            return check(self, &arg.value);
        }
        let message = format!("`{name}` takes one text");
        let diagnostic =
            Self::error(codes::ARGUMENTS, span, message).help(format!("write `{name}(\"…\")`"));
        self.report(diagnostic);
        Typed::unknown()
    }

    fn form_template(&mut self, call: &ast::Call, span: Span) -> Typed {
        self.forbid_type(call);
        let data = |arg: &ast::Arg| arg.name.as_ref().is_none_or(|name| name.text == "data");
        match &call.args[..] {
            [path] => self.template(&path.value, None, span),
            [path, arg] if data(arg) => self.template(&path.value, Some(&arg.value), span),
            _ => {
                let message = "`template` takes a path and its data";
                let diagnostic = Self::error(codes::ARGUMENTS, span, message)
                    .help("write `template(\"prompts/x.j2\", { theme })`");
                self.report(diagnostic);
                self.only_look(call)
            }
        }
    }

    /// Returns a text that must be known before anything runs.
    #[expect(
        clippy::wildcard_enum_match_arm,
        reason = "all others are alike here, and a new one is too"
    )]
    pub(super) fn constant<'t>(&mut self, tree: &'t ast::Expr, what: &str) -> Option<&'t str> {
        match &tree.kind {
            ExprKind::Bare(bare) => return Some(&bare.text),
            ExprKind::Literal(literal) if literal.kind == ast::LiteralKind::Text => {
                return Some(&literal.text);
            }
            ExprKind::Text(text) => match &text.parts[..] {
                [] => return Some(""),
                [TextPart::Str(letters)] => return Some(letters),
                _ => {}
            },
            ExprKind::Error => return None,
            _ => {}
        }
        let message = format!("{what} is a text without holes");
        let diagnostic = Self::error(codes::NOT_CONSTANT, tree.span, message)
            .help("it must be known before anything runs");
        self.report(diagnostic);
        None
    }

    /// Returns the path in the project that a text means.
    pub(super) fn project_path(&mut self, tree: &ast::Expr, what: &str) -> Option<String> {
        let written = self.constant(tree, what)?;
        let file = &self.world.program.file(self.file).name;
        match resolve(file, written) {
            Ok(path) => Some(path),
            Err(fault) => {
                let (message, help) = match fault {
                    PathFault::Empty => {
                        ("this names no file", "write a path like `\"songs/a.flac\"`")
                    }
                    PathFault::Absolute => (
                        "a path begins at the folder of this file, not at the machine's root",
                        "put the file into the project, or make it an input of the workflow",
                    ),
                    PathFault::Outside => (
                        "this leaves the project",
                        "put the file into the project, or make it an input of the workflow",
                    ),
                    PathFault::Letters => (
                        "a path has no backslashes and no control characters",
                        "folders are separated by `/`",
                    ),
                };
                self.report(Self::error(codes::BAD_PATH, tree.span, message).help(help));
                None
            }
        }
    }

    /// `file("…")`: what is wanted decides what it is, then its ending.
    pub(super) fn file_path(&mut self, tree: &ast::Expr, wanted: Option<&Type>) -> Typed {
        let Some(path) = self.project_path(tree, "the path of a file") else {
            return Typed::unknown();
        };
        let media = match wanted.map(Type::present) {
            Some(Type::Media(media)) => *media,
            _ => media_of(&path),
        };
        Typed::new(Expr::File(path.into(), media), Type::Media(media))
    }

    /// `fixture("…")`: a file, in tests.
    pub(super) fn fixture(&mut self, tree: &ast::Expr, wanted: Option<&Type>) -> Typed {
        if self.test.is_none() {
            let diagnostic = Self::error(
                codes::MISPLACED_FIXTURE,
                tree.span,
                "only a test has fixtures",
            )
            .help("a file of the project is named by `file(\"…\")`");
            self.report(diagnostic);
            return Typed::unknown();
        }
        let file = self.file_path(tree, wanted);
        self.note_fixture(&file, tree.span);
        file
    }

    /// `secret("NAME")`
    pub(super) fn secret(&mut self, tree: &ast::Expr) -> Typed {
        let Some(name) = self.constant(tree, "the name of a secret") else {
            return Typed::unknown();
        };
        match flow_core::scalar::read(name, &Type::Secret) {
            Ok(value @ Value::Secret(_)) => Typed::new(Expr::Const(value), Type::Secret),
            Ok(_) => Typed::unknown(),
            Err(error) => {
                let error = Self::error(codes::LITERAL, tree.span, error.to_string());
                self.report(error.label(format!("this is {}", article(&Type::text()))));
                Typed::unknown()
            }
        }
    }
}

/// Shows how a function is called.
fn usage(function: Function) -> String {
    let (names, least) = parameters(function);
    let shown: Vec<String> = names
        .iter()
        .enumerate()
        .map(|(at, name)| match at {
            at if at < least => (*name).to_owned(),
            _ => format!("{name}: …"),
        })
        .collect();
    format!("write `{}({})`", function.name(), shown.join(", "))
}

/// Tells from a file's ending what it is.
fn media_of(path: &str) -> Media {
    let ending = path.rsplit('.').next().unwrap_or_default();
    match ending.to_ascii_lowercase().as_str() {
        "png" | "jpg" | "jpeg" | "webp" | "gif" | "avif" => Media::Image,
        "mp4" | "mov" | "webm" | "mkv" => Media::Video,
        "wav" | "mp3" | "flac" | "ogg" | "opus" | "m4a" | "aac" => Media::Audio,
        _ => Media::File,
    }
}
