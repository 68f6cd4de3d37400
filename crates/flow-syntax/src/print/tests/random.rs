//! Trees drawn at random from a seed.

use crate::ast::*;
use crate::span::Span;

/// Draws trees.
pub(super) struct Draw {
    state: u64,
    depth: usize,
    /// How many expressions are open: nothing is documented inside of them.
    quiet: usize,
}

const WORDS: [&str; 12] = [
    "a", "shot", "track", "budget", "timeout", "max", "on", "label", "retry", "parallel", "x1",
    "_q",
];
const TEXTS: [&str; 22] = [
    "",
    "plain",
    "two words",
    "a: b",
    "# no",
    "it's",
    "say \"hi\"",
    "back\\slash",
    "${hole}",
    "one\ntwo",
    "one\n  two\n",
    "\n",
    " lead",
    "trail ",
    "007",
    "true",
    "{json: 1}",
    "é ✓",
    "a\tb",
    "$",
    "- dash",
    "both ' and \"\n",
];

impl Draw {
    pub(super) fn new(seed: u64) -> Self {
        let state = seed.wrapping_mul(2).wrapping_add(1);
        Self {
            state,
            depth: 0,
            quiet: 0,
        }
    }

    pub(super) fn below(&mut self, count: usize) -> usize {
        self.state = self
            .state
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        usize::try_from(self.state >> 33).unwrap() % count
    }

    fn pick(&mut self, from: &[&str]) -> String {
        let at = self.below(from.len());
        from[at].to_owned()
    }

    fn coin(&mut self) -> bool {
        self.below(2) == 0
    }

    fn some<T>(&mut self, make: impl FnOnce(&mut Self) -> T) -> Option<T> {
        if self.below(3) == 0 {
            Some(make(self))
        } else {
            None
        }
    }

    fn many<T>(&mut self, most: usize, mut make: impl FnMut(&mut Self) -> T) -> Vec<T> {
        let count = self.below(most + 1);
        (0..count).map(|_| make(self)).collect()
    }

    fn name(&mut self) -> Name {
        named(&self.pick(&WORDS))
    }

    /// Names that differ from each other.
    fn names(&mut self, most: usize) -> Vec<Name> {
        let start = self.below(WORDS.len());
        let count = self.below(most + 1);
        (0..count)
            .map(|at| named(WORDS[(start + at) % WORDS.len()]))
            .collect()
    }

    fn path(&mut self) -> Path {
        let text = self.pick(&["gen.image", "lib.f", "audio.beats", "post.to", "f"]);
        Path {
            text,
            span: Span::default(),
        }
    }

    fn literal(&mut self) -> Literal {
        let (kind, text) = match self.below(6) {
            0 => (LiteralKind::Int, "3"),
            1 => (LiteralKind::Float, "0.5"),
            2 => (LiteralKind::Bool, "true"),
            3 => (LiteralKind::Money, "$0.50"),
            4 => (LiteralKind::Duration, "1h30m"),
            _ => (LiteralKind::Size, "1080x1920"),
        };
        literal(kind, text)
    }

    fn text(&mut self) -> Text {
        let letters = self.pick(&TEXTS);
        let mut parts = Vec::new();
        if !letters.is_empty() {
            parts.push(TextPart::Str(letters));
        }
        let has_hole = self.below(3) == 0 && self.depth < 4;
        if has_hole {
            parts.push(TextPart::Hole(self.expr()));
        }
        let style = match self.below(4) {
            1 if !has_hole => TextStyle::Raw,
            2 => TextStyle::Lines,
            3 if !has_hole => TextStyle::RawLines,
            _ => TextStyle::Plain,
        };
        Text { parts, style }
    }

    pub(super) fn expr(&mut self) -> Expr {
        self.depth += 1;
        self.quiet += 1;
        let kinds = if self.depth > 4 { 5 } else { 16 };
        let kind = match self.below(kinds) {
            0 => ExprKind::Literal(self.literal()),
            1 => ExprKind::Text(self.text()),
            2 => ExprKind::None,
            3 => ExprKind::Name(self.pick(&WORDS)),
            4 => ExprKind::Field(Box::new(name_of("track")), self.name()),
            5 => ExprKind::Index(Box::new(self.expr()), Box::new(self.expr())),
            6 => ExprKind::Unary(UnaryOp::Not, Box::new(self.expr())),
            7 => ExprKind::Unary(UnaryOp::Negate, Box::new(self.expr())),
            8 | 9 => self.binary(),
            10 => {
                let presence = if self.coin() {
                    Presence::Some
                } else {
                    Presence::None
                };
                ExprKind::Is(Box::new(self.expr()), presence)
            }
            11 => ExprKind::If(Box::new(IfExpr {
                cond: self.expr(),
                then: self.expr(),
                otherwise: self.expr(),
            })),
            12 => self.call(),
            13 => ExprKind::List(self.many(4, Self::expr)),
            14 => ExprKind::Comprehension(Box::new(Comprehension {
                body: self.expr(),
                var: self.name(),
                list: self.expr(),
                cond: self.some(Self::expr),
            })),
            _ => self.record(),
        };
        self.depth -= 1;
        self.quiet -= 1;
        of(kind)
    }

    fn binary(&mut self) -> ExprKind {
        const OPS: [BinaryOp; 15] = [
            BinaryOp::Add,
            BinaryOp::Subtract,
            BinaryOp::Multiply,
            BinaryOp::Divide,
            BinaryOp::Remainder,
            BinaryOp::Equal,
            BinaryOp::NotEqual,
            BinaryOp::Less,
            BinaryOp::LessEqual,
            BinaryOp::Greater,
            BinaryOp::GreaterEqual,
            BinaryOp::In,
            BinaryOp::And,
            BinaryOp::Or,
            BinaryOp::Coalesce,
        ];
        ExprKind::Binary(Box::new(Binary {
            op: OPS[self.below(OPS.len())],
            op_span: Span::default(),
            left: self.expr(),
            right: self.expr(),
        }))
    }

    fn call(&mut self) -> ExprKind {
        let mut args: Vec<Arg> = self.many(1, |draw| Arg {
            name: None,
            value: draw.expr(),
        });
        for name in self.names(3) {
            args.push(Arg {
                name: Some(name),
                value: self.expr(),
            });
        }
        ExprKind::Call(Box::new(Call {
            path: self.path(),
            type_arg: self.some(Self::ty).map(Box::new),
            args,
        }))
    }

    fn record(&mut self) -> ExprKind {
        let mut entries = Vec::new();
        for name in self.names(3) {
            entries.push(if self.coin() {
                Entry::Short(name)
            } else {
                Entry::Field(name, self.expr())
            });
        }
        if self.below(3) == 0 {
            entries.push(Entry::Field(named("odd key: 1"), self.expr()));
        }
        entries.extend(self.some(|draw| Entry::Spread(draw.expr(), Span::default())));
        ExprKind::Record(entries)
    }

    fn ty(&mut self) -> TypeExpr {
        self.depth += 1;
        let base = if self.depth < 4 && self.below(3) == 0 {
            TypeBase::Record(self.fields(2))
        } else {
            let is_list = self.depth < 4 && self.coin();
            TypeBase::Named {
                path: named_path(if is_list { "list" } else { "text" }),
                args: if is_list { vec![self.ty()] } else { Vec::new() },
            }
        };
        self.depth -= 1;
        let refinement = |kind| Refinement {
            kind,
            span: Span::default(),
        };
        let refinements = self.many(1, |draw| {
            refinement(match draw.below(4) {
                0 => RefinementKind::In(int("1"), int("8")),
                1 => RefinementKind::Min(int("1")),
                2 => RefinementKind::Max(int("24")),
                _ => RefinementKind::Matching(named("\\d+ '\"${")),
            })
        });
        TypeExpr {
            base,
            optional: self.some(|_| Span::default()),
            refinements,
            span: Span::default(),
        }
    }

    fn docs(&mut self) -> Docs {
        let docs = self.below(4) == 0 && self.quiet == 0;
        if docs {
            "what it is\n\n  more: of it".to_owned()
        } else {
            Docs::new()
        }
    }

    fn fields(&mut self, most: usize) -> Vec<Field> {
        let names = self.names(most);
        names.into_iter().map(|name| self.field(name)).collect()
    }

    fn field(&mut self, name: Name) -> Field {
        Field {
            constant: self.some(|_| Span::default()),
            name,
            ty: self.ty(),
            default: self.some(Self::expr),
            docs: self.docs(),
            span: Span::default(),
        }
    }

    fn limits(&mut self) -> Vec<Clause> {
        let mut limits = Vec::new();
        if self.below(4) == 0 {
            limits.push(clause(ClauseKind::Budget {
                amount: self.expr(),
                per: self.some(|_| named("day")),
                or: self.some(|_| named("ask")),
            }));
        }
        if self.below(4) == 0 {
            limits.push(clause(ClauseKind::Within(self.expr())));
        }
        limits
    }

    fn clauses(&mut self) -> Vec<Clause> {
        let mut clauses = self.limits();
        let chance = |draw: &mut Self| draw.below(6) == 0;
        if chance(self) {
            clauses.push(clause(ClauseKind::Retry {
                attempts: self.expr(),
                backoff: self.some(|_| (duration("1s"), duration("30s"))),
                on: self.names(2),
            }));
        }
        if chance(self) {
            clauses.push(clause(ClauseKind::Timeout(self.expr())));
        }
        if chance(self) {
            clauses.push(clause(ClauseKind::Cache(match self.below(3) {
                0 => Cache::On,
                1 => Cache::Off,
                _ => Cache::For(of(ExprKind::Literal(duration("1h")))),
            })));
        }
        if chance(self) {
            clauses.push(clause(ClauseKind::Pool(named_path("gpu.big"))));
        }
        if chance(self) {
            clauses.push(clause(ClauseKind::After(vec![named("a"), named("shot")])));
        }
        if chance(self) {
            clauses.push(clause(ClauseKind::Label(of(ExprKind::Text(self.text())))));
        }
        if chance(self) {
            clauses.push(clause(ClauseKind::OnLost(named("ask"))));
        }
        if chance(self) {
            clauses.push(clause(ClauseKind::Assume(self.expr())));
        }
        clauses
    }

    fn value(&mut self) -> Value {
        let kinds = if self.depth > 3 { 2 } else { 4 };
        match self.below(kinds) {
            0 => Value::Expr(Box::new(Governed {
                expr: of(self.call()),
                clauses: self.clauses(),
                fallback: self.some(Self::alternative),
                form: Form::Open,
                span: Span::default(),
            })),
            1 => {
                let mut expr = self.expr();
                // A call is drawn above.
                if matches!(expr.kind, ExprKind::Call(_)) {
                    expr = name_of("shot");
                }
                Value::Expr(Box::new(Governed {
                    expr,
                    clauses: Vec::new(),
                    fallback: None,
                    form: Form::Open,
                    span: Span::default(),
                }))
            }
            _ => Value::Region(Box::new(self.region())),
        }
    }

    fn alternative(&mut self) -> Value {
        if self.depth < 3 && self.below(3) == 0 {
            let mut block = self.block();
            if block.stmts.is_empty() && block.result.is_none() {
                block.result = Some(self.result(YieldWord::Yield));
            }
            return Value::Block(Box::new(block));
        }
        self.value()
    }

    fn region(&mut self) -> Region {
        self.depth += 1;
        let region = match self.below(6) {
            0 => Region::If(self.choice()),
            1 => Region::Match(Match {
                subject: self.expr(),
                arms: (0..=self.below(3)).map(|at| self.arm(at)).collect(),
                span: Span::default(),
            }),
            2 => Region::For(For {
                var: self.name(),
                list: self.expr(),
                by: self.some(Self::expr),
                max: self.some(Self::expr),
                parallel: self.some(Self::expr),
                keep_ok: self.some(|_| Span::default()),
                limits: self.limits(),
                body: self.block(),
                head: Span::default(),
                span: Span::default(),
            }),
            3 => Region::Repeat(Repeat {
                state: self.name(),
                ty: None,
                from: self.expr(),
                max: self.expr(),
                until: self.some(Self::expr),
                limits: self.limits(),
                body: self.block(),
                head: Span::default(),
                span: Span::default(),
            }),
            4 => Region::Race(Race {
                limits: self.limits(),
                body: self.block(),
                fallback: self.some(Self::alternative),
                span: Span::default(),
            }),
            _ => Region::Parallel(Parallel {
                limits: self.limits(),
                body: self.block(),
                span: Span::default(),
            }),
        };
        self.depth -= 1;
        region
    }

    fn choice(&mut self) -> If {
        self.depth += 1;
        let choice = If {
            cond: self.expr(),
            then: self.block(),
            otherwise: match self.below(3) {
                0 => Some(Else::Block(self.block())),
                1 if self.depth < 4 => Some(Else::If(Box::new(self.choice()))),
                _ => None,
            },
            span: Span::default(),
        };
        self.depth -= 1;
        choice
    }

    fn arm(&mut self, at: usize) -> Arm {
        let kinds = [
            PatternKind::Literal(literal(LiteralKind::Int, "-3")),
            PatternKind::Literal(literal(LiteralKind::Text, "a | b: \"c\"")),
            PatternKind::Some(named("r")),
            PatternKind::Name(named_path("retry")),
        ];
        let mut kinds = vec![kinds[at].clone()];
        if at == 3 {
            kinds.extend([PatternKind::None, PatternKind::Any]);
        }
        let pattern = |kind| Pattern {
            kind,
            span: Span::default(),
        };
        Arm {
            patterns: kinds.into_iter().map(pattern).collect(),
            value: self.alternative(),
            span: Span::default(),
        }
    }

    fn result(&mut self, keyword: YieldWord) -> Yield {
        Yield {
            keyword,
            value: self.value(),
            span: Span::default(),
        }
    }

    fn block(&mut self) -> Block {
        self.depth += 1;
        let block = Block {
            stmts: self.many(3, Self::stmt),
            result: self.some(|draw| draw.result(YieldWord::Yield)),
            span: Span::default(),
        };
        self.depth -= 1;
        block
    }

    fn stmt(&mut self) -> Stmt {
        let value = self.value();
        // Only calls and regions may stand without a name.
        let needs_name = match &value {
            Value::Expr(governed) => !matches!(&governed.expr.kind, ExprKind::Call(_)),
            Value::Region(_) | Value::Block(_) | Value::Error(_) => false,
        };
        let name = if needs_name || self.coin() {
            Some(self.name())
        } else {
            None
        };
        Stmt {
            ty: name
                .as_ref()
                .and_then(|_| self.some(Self::ty).map(Box::new)),
            name,
            value,
            docs: self.docs(),
            span: Span::default(),
        }
    }

    pub(super) fn file(&mut self) -> File {
        let count = 1 + self.below(4);
        let items = (0..count).map(|_| self.item()).collect();
        File {
            items,
            comments: Vec::new(),
        }
    }

    fn item(&mut self) -> Item {
        // Names of one kind differ, as YAML needs it.
        let at = self.below(1_000_000);
        let name = named(&format!("n{at}"));
        let kind = match self.below(7) {
            0 => ItemKind::Use(Use {
                path: named("lib/it's a \"file\".flow"),
                alias: self.some(|_| named("lib")),
            }),
            1 => ItemKind::Enum(Enum {
                name,
                variants: ["noir", "wide", "tall"]
                    .map(|word| Variant {
                        name: named(word),
                        outside: self.some(|draw| named(&draw.pick(&TEXTS))),
                        docs: self.docs(),
                    })
                    .into(),
            }),
            2 => ItemKind::Type(TypeDef {
                name,
                ty: self.ty(),
            }),
            3 => ItemKind::Step(StepDecl {
                path: named_path(&format!("s.n{at}")),
                type_param: self.some(|_| named("T")),
                params: self.fields(4),
                returns: self.ty(),
                effects: Vec::new(),
                cost: self.some(Self::expr),
                pool: self.some(Self::expr),
                run: self.some(|_| named("python \"x.py\"")),
            }),
            4 => ItemKind::Trigger(Trigger {
                name,
                call: of(self.plain_call()),
                clauses: vec![TriggerClause {
                    kind: TriggerClauseKind::Cron {
                        pattern: named("*/5 * * * *"),
                        tz: self.some(|_| named("Europe/Berlin")),
                    },
                    span: Span::default(),
                }],
            }),
            5 => ItemKind::Test(Test {
                name: named(&format!("it works: {at}")),
                stmts: self.many(3, Self::test_stmt),
            }),
            _ => ItemKind::Workflow(Workflow {
                name,
                params: self.fields(4),
                returns: self.some(Self::ty),
                limits: self.limits(),
                body: {
                    let mut body = self.block();
                    body.result = self.some(|draw| draw.result(YieldWord::Return));
                    body
                },
            }),
        };
        Item {
            kind,
            docs: self.docs(),
            span: Span::default(),
        }
    }

    fn plain_call(&mut self) -> ExprKind {
        let mut call = self.call();
        if let ExprKind::Call(call) = &mut call {
            call.type_arg = None;
        }
        call
    }

    fn test_stmt(&mut self) -> TestStmt {
        let kind = match self.below(3) {
            0 => TestStmtKind::Stub {
                step: self.path(),
                at: self.some(|_| named("stills[2]/drafts")),
                replies: vec![
                    Reply::Value(self.expr()),
                    Reply::Fails {
                        class: named("timeout"),
                        times: self.some(|_| int("2")),
                        span: Span::default(),
                    },
                ],
            },
            1 => TestStmtKind::Run {
                name: self.some(Self::name),
                call: of(self.plain_call()),
            },
            _ => TestStmtKind::Expect(self.expr()),
        };
        TestStmt {
            kind,
            span: Span::default(),
        }
    }
}

fn of(kind: ExprKind) -> Expr {
    let span = Span::default();
    Expr { kind, span }
}

fn name_of(word: &str) -> Expr {
    of(ExprKind::Name(word.to_owned()))
}

fn named(text: &str) -> Name {
    Name {
        text: text.to_owned(),
        span: Span::default(),
    }
}

fn named_path(text: &str) -> Path {
    Path {
        text: text.to_owned(),
        span: Span::default(),
    }
}

fn literal(kind: LiteralKind, text: &str) -> Literal {
    Literal {
        kind,
        text: text.to_owned(),
        span: Span::default(),
    }
}

fn int(text: &str) -> Literal {
    literal(LiteralKind::Int, text)
}

fn duration(text: &str) -> Literal {
    literal(LiteralKind::Duration, text)
}

fn clause(kind: ClauseKind) -> Clause {
    Clause {
        kind,
        span: Span::default(),
    }
}
