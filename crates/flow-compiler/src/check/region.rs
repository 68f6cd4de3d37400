//! Regions: choices, loops, races.

use std::collections::BTreeMap;

use flow_core::effect::Effect;
use flow_core::expr::Expr;
use flow_core::plan::{
    Block, For, If, NodeId, NodeKind, PARALLEL_DEFAULT, Parallel, Parent, Race, Repeat,
};
use flow_core::ty::{Bounds, ListType, Type};
use flow_core::value::Value;
use flow_syntax::ast;
use flow_syntax::span::Span;

use super::block::{Checked, Gives, Made, Order};
use super::expr::article;
use super::{Binding, Checker, Typed};
use crate::codes;
use crate::translate::Reading;

impl Checker<'_> {
    /// Makes a region's node.
    pub(crate) fn region(
        &mut self,
        region: &ast::Region,
        id: NodeId,
        wanted: Option<&Type>,
    ) -> Made {
        match region {
            ast::Region::If(tree) => self.if_node(tree, id, wanted),
            ast::Region::Match(tree) => self.match_node(tree, id, wanted),
            ast::Region::For(tree) => self.for_node(tree, id, wanted),
            ast::Region::Repeat(tree) => self.repeat_node(tree, id, wanted),
            ast::Region::Race(tree) => self.race_node(tree, id, wanted),
            ast::Region::Parallel(tree) => {
                let limits = self.limits(&tree.limits);
                let inside = parent(id, None);
                let checked = self.block(&tree.body, &inside, Order::Free, wanted);
                let made = Made {
                    gives: checked.gives,
                    effect: checked.effect,
                };
                let block = checked.block;
                let kind = NodeKind::Parallel(Box::new(Parallel { limits, block }));
                self.fill(id, kind, &made);
                made
            }
        }
    }

    fn if_node(&mut self, tree: &ast::If, id: NodeId, wanted: Option<&Type>) -> Made {
        // Without `else` it gives `T?`; what stands inside gives `T`.
        let inside = wanted.map(Type::present).cloned();
        let wanted_then = match &tree.otherwise {
            None => inside.as_ref(),
            Some(_) => wanted,
        };
        let (cond, holds, fails) = self.cond(&tree.cond);
        let before = self.scopes.know(holds);
        let then = self.block(
            &tree.then,
            &parent(id, Some("then")),
            Order::Written,
            wanted_then,
        );
        self.scopes.forget(before);
        let before = self.scopes.know(fails);
        let otherwise = tree.otherwise.as_ref().map(|otherwise| {
            let place = parent(id, Some("else"));
            match otherwise {
                ast::Else::Block(block) => self.block(block, &place, Order::Written, wanted),
                ast::Else::If(inner) => self.else_if(inner, &place, wanted),
            }
        });
        self.scopes.forget(before);
        let (then, otherwise, made) = match otherwise {
            None => {
                let gives = match then.gives.clone() {
                    Gives::Value(ty) => Gives::Value(ty.optional()),
                    Gives::Nothing => Gives::Nothing,
                    Gives::Unknown => Gives::Unknown,
                };
                let effect = then.effect;
                (then.block, None, Made { gives, effect })
            }
            Some(otherwise) => {
                let arms = vec![(then, tree.then.span), (otherwise, tree.span)];
                let (mut blocks, made) = self.join(arms);
                let otherwise = blocks.pop();
                let then = blocks.pop().unwrap_or_default();
                (then, otherwise, made)
            }
        };
        let kind = NodeKind::If(Box::new(If {
            cond,
            then,
            otherwise,
        }));
        self.fill(id, kind, &made);
        made
    }

    /// Checks the `if` of an `else if` as the only node of a block.
    fn else_if(&mut self, tree: &ast::If, place: &Parent, wanted: Option<&Type>) -> Checked {
        self.scopes.push();
        let id = self.reserve("if".into(), Some(place.clone()), tree.span);
        self.scopes.at(Some(id));
        self.enter(id);
        let made = self.if_node(tree, id, wanted);
        self.leave();
        self.scopes.pop();
        let result = (made.gives != Gives::Nothing).then_some(Expr::Node(id));
        Checked {
            block: Block {
                nodes: vec![id],
                result,
            },
            gives: made.gives,
            effect: made.effect,
        }
    }

    /// Joins the values of branches: all give one, of types that join, or none
    /// does.
    pub(crate) fn join(&mut self, arms: Vec<(Checked, Span)>) -> (Vec<Block>, Made) {
        let effect = arms.iter().map(|(arm, _)| arm.effect).max();
        let effect = effect.unwrap_or_default();
        let empty = arms.iter().find(|(arm, _)| arm.gives == Gives::Nothing);
        let full = arms.iter().find(|(arm, _)| arm.gives != Gives::Nothing);
        if let (Some((_, empty)), Some((_, full))) = (empty, full) {
            let diagnostic = Self::error(
                codes::BRANCHES_DIFFER,
                *empty,
                "this branch gives no value, another one does",
            )
            .other(*full, "this one does")
            .help("end every branch with `yield …`, or none");
            self.report(diagnostic);
            let blocks = arms.into_iter().map(|(arm, _)| arm.block).collect();
            let gives = Gives::Unknown;
            return (blocks, Made { gives, effect });
        }
        let mut joined: Option<Type> = None;
        let mut gives = Gives::Nothing;
        for (arm, span) in &arms {
            let ty = match &arm.gives {
                Gives::Value(ty) => ty,
                Gives::Nothing => continue,
                Gives::Unknown => {
                    gives = Gives::Unknown;
                    break;
                }
            };
            let next = match &joined {
                None => Some(ty.clone()),
                Some(other) => flow_core::relation::join(other, ty),
            };
            let Some(next) = next else {
                let first = joined.as_ref().map(ToString::to_string);
                let diagnostic = Self::error(
                    codes::BRANCHES_DIFFER,
                    *span,
                    format!(
                        "the branches give different types: `{}` and `{ty}`",
                        first.unwrap_or_default()
                    ),
                )
                .other(arms[0].1, "the first branch")
                .help("all branches of one choice give the same type");
                self.report(diagnostic);
                gives = Gives::Unknown;
                break;
            };
            joined = Some(next.clone());
            gives = Gives::Value(next);
        }
        let mut blocks = Vec::with_capacity(arms.len());
        for (mut arm, span) in arms {
            if let (Gives::Value(all), Gives::Value(own), Some(expr)) =
                (&gives, &arm.gives, arm.block.result.take())
            {
                let typed = Typed::new(expr, own.clone());
                arm.block.result = Some(self.coerce(typed, all, span));
            }
            blocks.push(arm.block);
        }
        (blocks, Made { gives, effect })
    }

    fn for_node(&mut self, tree: &ast::For, id: NodeId, wanted: Option<&Type>) -> Made {
        let (list, ty) = self.for_list(tree);
        let max = tree.max.as_ref().map(|max| self.count(max));
        let source = ty.as_ref().and_then(|ty| ty.length.max);
        let items_max = match &max {
            Some((_, most)) => match (most, source) {
                (Some(most), Some(source)) => Some((*most).min(source)),
                (most, source) => most.or(source),
            },
            None => source,
        };
        let parallel = tree.parallel.as_ref().map(|width| self.count(width).0);
        let limits = self.limits(&tree.limits);
        self.scopes.push();
        if let Some(outer) = self.scopes.bound(&tree.var.text) {
            self.report_bound(&tree.var, outer);
        }
        self.scopes.bind(
            &tree.var.text,
            Binding {
                expr: Expr::Item(id),
                ty: ty.as_ref().map(|ty| ty.item.as_ref().clone()),
                empty: false,
                span: tree.var.span,
                used: true,
            },
        );
        let by = tree.by.as_ref().map(|by| self.item_key(by));
        let inside = match wanted.map(Type::present) {
            Some(Type::List(list)) => Some(list.item.as_ref().clone()),
            _ => None,
        };
        let place = parent(id, None);
        let checked = self.block(&tree.body, &place, Order::Written, inside.as_ref());
        self.scopes.pop();
        if items_max.is_none() && checked.effect.costs() {
            self.report_unbounded(tree, max.is_some(), checked.effect);
        }
        let gives = match checked.gives {
            Gives::Value(item) => Gives::Value(Type::List(ListType {
                item: item.into(),
                length: Bounds {
                    min: match (&ty, tree.keep_ok) {
                        (Some(ty), None) => ty.length.min,
                        (None, _) | (_, Some(_)) => None,
                    },
                    max: items_max,
                },
            })),
            Gives::Nothing => Gives::Nothing,
            Gives::Unknown => Gives::Unknown,
        };
        let effect = checked.effect;
        let width = if effect.acts() { 1 } else { PARALLEL_DEFAULT };
        let made = Made { gives, effect };
        let kind = NodeKind::For(Box::new(For {
            var: tree.var.text.as_str().into(),
            list,
            by,
            max: max.map(|(expr, _)| expr),
            items_max,
            parallel: parallel.unwrap_or(Expr::Const(Value::Int(i64::from(width)))),
            keep_ok: tree.keep_ok.is_some(),
            limits,
            body: checked.block,
        }));
        self.fill(id, kind, &made);
        made
    }

    #[expect(
        clippy::wildcard_enum_match_arm,
        reason = "the others have nothing to go through"
    )]
    fn for_list(&mut self, tree: &ast::For) -> (Expr, Option<ListType>) {
        let typed = self.expr(&tree.list, None);
        let typed = self.settle(typed, tree.list.span);
        let Some(ty) = typed.ty else {
            return (typed.expr, None);
        };
        let help = match &ty {
            Type::List(list) => return (typed.expr, Some(list.clone())),
            Type::Optional(_) => "it may be missing: `for x in (xs ?? []) { … }`",
            Type::Map(_) => "go through its keys: `for key in keys(m) { … }`",
            Type::Int(_) => "count with `for i in range(n) { … }`",
            Type::Text(_) => "cut it first: `for line in split(t, \"\\n\") { … }`",
            _ => "`for` goes through the items of a list",
        };
        self.report(
            Self::error(
                codes::TYPE_MISMATCH,
                tree.list.span,
                format!("expected a list, found `{ty}`"),
            )
            .label(format!("this is {}", article(&ty)))
            .help(help),
        );
        (typed.expr, None)
    }

    fn report_unbounded(&mut self, tree: &ast::For, has_max: bool, effect: Effect) {
        let what = if effect.acts() { "acts" } else { "costs money" };
        let why = if has_max {
            "its `max` has no upper bound that is known here"
        } else {
            "nothing bounds the list"
        };
        let mut diagnostic = Self::error(
            codes::UNBOUNDED,
            tree.head,
            format!("this `for` {what} for every item, and {why}"),
        )
        .help("say the most items there may be: `for x in xs max 24 { … }`, or in the type: `list<T> max 24`");
        if !has_max {
            diagnostic = diagnostic.fix(
                flow_syntax::diagnostic::Certainty::Likely,
                "add `max 24`",
                tree.list.span.after(),
                " max 24",
            );
        }
        self.report(diagnostic);
    }

    /// Checks what identifies an item.
    fn item_key(&mut self, by: &ast::Expr) -> Expr {
        let typed = self.expr(by, None);
        if let Some(ty) = &typed.ty
            && !matches!(ty, Type::Text(_) | Type::Int(_) | Type::Enum(_))
        {
            self.report(
                Self::error(
                    codes::TYPE_MISMATCH,
                    by.span,
                    format!("an item can't be told by a `{ty}`"),
                )
                .help("`by` takes a text, a whole number or a value of an enum"),
            );
        }
        typed.expr
    }

    /// Checks a number of items, rounds or attempts, and gives the most that
    /// it can be.
    pub(crate) fn count(&mut self, tree: &ast::Expr) -> (Expr, Option<u64>) {
        let typed = self.expr(tree, Some(&Type::int()));
        let most = match (&typed.expr, &typed.ty) {
            (Expr::Const(Value::Int(count)), _) => Some(*count),
            (_, Some(Type::Int(bounds))) => bounds.max,
            _ => None,
        };
        if let Expr::Const(Value::Int(count)) = &typed.expr
            && *count < 1
        {
            self.report(
                Self::error(codes::COUNT, tree.span, format!("`{count}` is less than 1"))
                    .help("it takes 1 or more"),
            );
        }
        let expr = self.coerce(typed, &Type::int(), tree.span);
        (expr, most.map(|most| u64::try_from(most).unwrap_or(0)))
    }

    fn repeat_node(&mut self, tree: &ast::Repeat, id: NodeId, wanted: Option<&Type>) -> Made {
        let declared = tree.ty.as_ref().map(|ty| self.type_expr(ty));
        let expected = match &declared {
            Some(ty) => ty.as_ref(),
            None => wanted,
        };
        let from = self.expr(&tree.from, expected);
        let from = match expected {
            Some(_) => from,
            None => self.settle(from, tree.from.span),
        };
        let ty = match &declared {
            Some(ty) => ty.clone(),
            None => wanted.cloned().or_else(|| from.ty.clone()),
        };
        let from = match &ty {
            Some(ty) => self.coerce(from, ty, tree.from.span),
            None => from.expr,
        };
        let (max, rounds_max) = self.count(&tree.max);
        let limits = self.limits(&tree.limits);
        self.scopes.push();
        self.bind_state(&tree.state, id, ty.clone());
        let place = parent(id, None);
        let checked = self.block(&tree.body, &place, Order::Written, ty.as_ref());
        if checked.gives == Gives::Nothing {
            self.report(
                Self::error(
                    codes::NO_VALUE,
                    tree.body.span,
                    "a round gives no next state",
                )
                .help(format!(
                    "end the body with `yield …`, the `{}` of the next round",
                    tree.state.text
                )),
            );
        }
        let until = tree.until.as_ref().map(|until| self.cond(until).0);
        self.scopes.pop();
        let effect = checked.effect;
        if rounds_max.is_none() && effect.costs() {
            self.report(
                Self::error(
                    codes::UNBOUNDED,
                    tree.max.span,
                    "nothing is known of the most rounds",
                )
                .help("write a number, or an input with a range: `n: int in 1..8`"),
            );
        }
        let made = Made {
            gives: ty.clone().map_or(Gives::Unknown, Gives::Value),
            effect,
        };
        let kind = NodeKind::Repeat(Box::new(Repeat {
            state: tree.state.text.as_str().into(),
            ty: ty.unwrap_or(Type::Json),
            from,
            max,
            rounds_max,
            until,
            limits,
            body: checked.block,
        }));
        self.fill(id, kind, &made);
        made
    }

    fn bind_state(&mut self, state: &ast::Name, id: NodeId, ty: Option<Type>) {
        if let Some(outer) = self.scopes.bound(&state.text) {
            self.report_bound(state, outer);
        }
        self.scopes.bind(
            &state.text,
            Binding {
                expr: Expr::State(id),
                ty,
                empty: false,
                span: state.span,
                used: true,
            },
        );
    }

    fn race_node(&mut self, tree: &ast::Race, id: NodeId, wanted: Option<&Type>) -> Made {
        let limits = self.limits(&tree.limits);
        let edges = self.body.edges.len();
        let checked = self.block(&tree.body, &parent(id, None), Order::Race, None);
        self.check_contenders(tree, &checked);
        self.check_apart(tree, &checked, edges);
        let mut gives = Gives::Nothing;
        for (at, node) in checked.block.nodes.iter().enumerate() {
            let Some(found) = self.body.nodes[node.0 as usize].ty.clone() else {
                gives = Gives::Unknown;
                break;
            };
            gives = match &gives {
                Gives::Nothing => Gives::Value(found),
                Gives::Unknown => break,
                Gives::Value(all) => {
                    let joined = flow_core::relation::join(all, &found);
                    if joined.is_none() {
                        let diagnostic = Self::error(
                            codes::BRANCHES_DIFFER,
                            tree.body.stmts[at].span,
                            format!("the contenders give different types: `{all}` and `{found}`"),
                        )
                        .other(tree.body.stmts[0].span, "the first contender")
                        .help("whoever wins, the race gives one type");
                        self.report(diagnostic);
                    }
                    Gives::of(joined)
                }
            };
        }
        let mut effect = checked.effect;
        let fallback = tree.fallback.as_ref().map(|fallback| {
            let (block, made) = self.fallback(fallback, id, gives.clone(), wanted);
            effect = effect.max(made.effect);
            gives = made.gives;
            block
        });
        let made = Made { gives, effect };
        let kind = NodeKind::Race(Box::new(Race {
            limits,
            block: checked.block,
            fallback,
        }));
        self.fill(id, kind, &made);
        made
    }

    fn check_contenders(&mut self, tree: &ast::Race, checked: &Checked) {
        if let Some(result) = &tree.body.result {
            self.report(
                Self::error(codes::RACE, result.span, "a race has no `yield`").help(
                    "every statement is a contender, and the first that succeeds is the value",
                ),
            );
        }
        if tree.body.stmts.is_empty() {
            self.report(
                Self::error(codes::RACE, tree.span, "a race needs contenders")
                    .help("write one call per line"),
            );
        }
        for (at, node) in checked.block.nodes.iter().enumerate() {
            let Some(stmt) = tree.body.stmts.get(at) else {
                continue;
            };
            let node = &self.body.nodes[node.0 as usize];
            if node.effect.acts() {
                let diagnostic = Self::error(
                    codes::RACE,
                    stmt.span,
                    format!(
                        "`{}` acts on the outside world, so it can't race",
                        node.name
                    ),
                )
                .help("a loser can't be taken back: race the steps that prepare, then act once");
                self.report(diagnostic);
            } else if let NodeKind::Value(_) = node.kind
                && node.ty.is_some()
            {
                let diagnostic = Self::error(
                    codes::RACE,
                    stmt.span,
                    format!(
                        "`{}` is only a value, so there is nothing to race",
                        node.name
                    ),
                )
                .help("a contender is a call or a region");
                self.report(diagnostic);
            }
        }
    }

    /// Reports contenders that wait for each other.
    fn check_apart(&mut self, tree: &ast::Race, checked: &Checked, edges: usize) {
        let position: BTreeMap<NodeId, usize> =
            checked.block.nodes.iter().copied().zip(0..).collect();
        let waits: Vec<(usize, usize)> = self.body.edges[edges..]
            .iter()
            .filter_map(|(from, to, _)| Some((*position.get(from)?, *position.get(to)?)))
            .collect();
        for (from, to) in waits {
            let (Some(from), Some(to)) = (tree.body.stmts.get(from), tree.body.stmts.get(to))
            else {
                continue;
            };
            self.report(
                Self::error(codes::RACE, to.span, "a contender waits for another one")
                    .other(from.span, "for this one")
                    .help("contenders run at the same time; put steps that belong together into a workflow, and race calls of workflows"),
            );
        }
    }

    /// Checks what happens instead if a call or a race fails.
    pub(crate) fn fallback(
        &mut self,
        tree: &ast::Value,
        id: NodeId,
        gives: Gives,
        wanted: Option<&Type>,
    ) -> (Block, Made) {
        let place = parent(id, Some("else"));
        let checked = match tree {
            // A value may have a type of its own, so that `else none` joins.
            ast::Value::Expr(governed) if self.callee_of(&governed.expr).is_none() => {
                self.forbid_policies(governed);
                // YAML writes `else: none`, whatever the call gives.
                let bare = matches!(
                    &governed.expr.kind,
                    ast::ExprKind::Bare(bare) if !bare.quoted && bare.text == "none"
                );
                let none = bare || matches!(governed.expr.kind, ast::ExprKind::None);
                let typed = if none {
                    let value = Value::None;
                    let reading = Reading::Value(value.clone());
                    self.readings.push((governed.expr.span, reading));
                    Typed::new(Expr::Const(value), Type::None)
                } else {
                    self.expr(&governed.expr, gives.ty())
                };
                Checked {
                    gives: typed.ty.map_or(Gives::Unknown, Gives::Value),
                    block: Block {
                        nodes: Vec::new(),
                        result: Some(typed.expr),
                    },
                    effect: Effect::Pure,
                }
            }
            ast::Value::Expr(_)
            | ast::Value::Region(_)
            | ast::Value::Block(_)
            | ast::Value::Error(_) => self.arm(tree, &place, wanted),
        };
        let effect = checked.effect;
        if gives == Gives::Nothing || gives == Gives::Unknown {
            return (checked.block, Made { gives, effect });
        }
        let own = Checked {
            block: Block::default(),
            gives,
            effect: Effect::Pure,
        };
        let (mut blocks, made) = self.join(vec![(own, tree.span()), (checked, tree.span())]);
        (blocks.pop().unwrap_or_default(), made)
    }

    /// Reports a name that is bound by a head although it is taken.
    pub(crate) fn report_bound(&mut self, name: &ast::Name, outer: Span) {
        self.report(
            Self::error(
                codes::NAME_TAKEN,
                name.span,
                format!("the name `{}` is taken", name.text),
            )
            .other(outer, "bound here first")
            .help("a name is bound once and never changes; choose another one"),
        );
    }
}

/// Makes the place of a node inside another.
pub(crate) fn parent(node: NodeId, arm: Option<&str>) -> Parent {
    Parent {
        node,
        arm: arm.map(Into::into),
    }
}
