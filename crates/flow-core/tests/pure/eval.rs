//! What expressions compute, where they fail, and that their work is bounded.
#![expect(clippy::unwrap_used, reason = "test harness")]

use std::collections::BTreeMap;
use std::sync::Arc;

use flow_core::amount::{Duration, Money, Timestamp};
use flow_core::draw::Draw;
use flow_core::eval::{EvalErrorKind, Fuel, Scope, eval};
use flow_core::expr::{Comprehension, Expr, Function, Op, Part, Site};
use flow_core::path::StepPath;
use flow_core::plan::{NodeId, Template};
use flow_core::ty::{Bounds, EnumType, Media, Type, VariantType};
use flow_core::value::Value;

struct Here;

impl Scope for Here {
    fn node(&self, _: NodeId) -> Option<Value> {
        None
    }
    fn arg(&self, _: NodeId, position: u32) -> Option<Value> {
        Some(Value::Int(position.into()))
    }
    fn item(&self, _: NodeId) -> Option<Value> {
        None
    }
    fn state(&self, _: NodeId) -> Option<Value> {
        None
    }
    fn payload(&self, _: NodeId) -> Option<Value> {
        None
    }
    fn run(&self) -> Option<Value> {
        None
    }
    fn event(&self) -> Option<Value> {
        None
    }
    fn file(&self, _: &str, _: Media) -> Option<Value> {
        None
    }
    fn draw(&self, ordinal: u32) -> Option<Draw> {
        Some(Draw::new(1, &StepPath::root("w"), ordinal))
    }
    fn template(&self, _: u32) -> Option<&Template> {
        None
    }
}

fn run(expr: &Expr) -> Result<Value, EvalErrorKind> {
    eval(expr, &Here, &mut Fuel::default()).map_err(|error| error.kind)
}

fn call(function: Function, args: &[Value]) -> Result<Value, EvalErrorKind> {
    let args = args.iter().cloned().map(Expr::Const).collect();
    run(&Expr::Call(function, args, Site(0), Some(0)))
}

fn operate(op: Op, left: Value, right: Value) -> Result<Value, EvalErrorKind> {
    let sides = [left, right].map(|side| Box::new(Expr::Const(side)));
    let [left, right] = sides;
    run(&Expr::Binary(op, left, right, Site(0)))
}

fn int(number: i64) -> Value {
    Value::Int(number)
}

fn float(number: f64) -> Value {
    Value::Float(number)
}

fn text(text: &str) -> Value {
    Value::text(text)
}

fn ints(numbers: &[i64]) -> Value {
    Value::list(numbers.iter().copied().map(int).collect())
}

fn texts(words: &[&str]) -> Value {
    Value::list(words.iter().copied().map(text).collect())
}

fn money(cents: i64) -> Value {
    Value::Money(Money(cents * 10_000_000))
}

fn seconds(count: i64) -> Value {
    Value::Duration(Duration(count * 1_000_000_000))
}

fn time(seconds: i64) -> Value {
    Value::Time(Timestamp(seconds * 1000))
}

#[test]
fn operators_compute_what_an_author_expects() {
    let table = [
        (Op::Add, int(1), int(2), int(3)),
        (Op::Add, int(1), float(0.5), float(1.5)),
        (Op::Divide, int(7), int(2), float(3.5)),
        (Op::Divide, int(6), int(2), float(3.0)),
        (Op::Remainder, int(-7), int(3), int(2)),
        (Op::Remainder, int(i64::MIN), int(-1), int(0)),
        (Op::Multiply, money(50), int(3), money(150)),
        (Op::Multiply, float(0.5), money(50), money(25)),
        (
            Op::Divide,
            Value::Money(Money(10)),
            int(3),
            Value::Money(Money(4)),
        ),
        (Op::Divide, money(50), money(25), float(2.0)),
        (Op::Divide, seconds(90), seconds(60), float(1.5)),
        (Op::Add, time(10), seconds(5), time(15)),
        (Op::Subtract, time(10), time(4), seconds(6)),
        (Op::Equal, int(3), float(3.0), Value::Bool(true)),
        (
            Op::Equal,
            int(9_007_199_254_740_993),
            float(9_007_199_254_740_992.0),
            Value::Bool(false),
        ),
        (Op::Equal, ints(&[1, 2]), ints(&[1, 2]), Value::Bool(true)),
        (Op::NotEqual, text("a"), Value::None, Value::Bool(true)),
        (Op::Less, int(1), float(1.5), Value::Bool(true)),
        (Op::GreaterEqual, text("b"), text("a"), Value::Bool(true)),
        (Op::In, int(2), ints(&[1, 2]), Value::Bool(true)),
        (Op::In, text("é"), text("café"), Value::Bool(true)),
    ];
    for (op, left, right, expected) in table {
        assert_eq!(
            operate(op, left.clone(), right.clone()),
            Ok(expected),
            "{op:?} {left:?} {right:?}"
        );
    }
}

#[test]
fn operators_fail_instead_of_guessing() {
    use EvalErrorKind::{DivisionByZero, NotFinite, Overflow};
    let table = [
        (Op::Add, int(i64::MAX), int(1), Overflow),
        (Op::Multiply, int(i64::MIN), int(-1), Overflow),
        (Op::Divide, int(1), int(0), DivisionByZero),
        (Op::Remainder, int(1), float(0.0), DivisionByZero),
        (Op::Divide, money(1), seconds(0), DivisionByZero),
        (Op::Multiply, float(1e300), float(1e300), NotFinite),
    ];
    for (op, left, right, expected) in table {
        assert_eq!(operate(op, left, right), Err(expected), "{op:?}");
    }
    assert!(operate(Op::Less, int(1), text("a")).is_err());
}

#[test]
fn functions_compute_what_their_table_says() {
    use Function as F;
    let table = [
        (F::Len, vec![text("né")], int(2)),
        (F::Range, vec![int(3)], ints(&[0, 1, 2])),
        (F::Range, vec![int(2), int(4)], ints(&[2, 3])),
        (F::Range, vec![int(4), int(2)], ints(&[])),
        (
            F::Flatten,
            vec![Value::list(vec![ints(&[1]), ints(&[2])])],
            ints(&[1, 2]),
        ),
        (F::Unique, vec![ints(&[2, 1, 2, 1])], ints(&[2, 1])),
        (F::Sort, vec![ints(&[3, 1, 2])], ints(&[1, 2, 3])),
        (F::Reverse, vec![ints(&[1, 2])], ints(&[2, 1])),
        (F::Take, vec![ints(&[1, 2]), int(9)], ints(&[1, 2])),
        (F::Take, vec![ints(&[1, 2]), int(-1)], ints(&[])),
        (F::Skip, vec![ints(&[1, 2]), int(1)], ints(&[2])),
        (F::Sum, vec![ints(&[1, 2])], int(3)),
        (F::Sum, vec![Value::list(vec![]), money(0)], money(0)),
        (F::Min, vec![ints(&[2, 1])], int(1)),
        (F::Max, vec![ints(&[])], Value::None),
        (F::Argmax, vec![ints(&[1, 3, 3])], int(1)),
        (F::Argmin, vec![ints(&[])], Value::None),
        (F::Any, vec![Value::list(vec![])], Value::Bool(false)),
        (F::All, vec![Value::list(vec![])], Value::Bool(true)),
        (
            F::Contains,
            vec![text("abc"), text("bc")],
            Value::Bool(true),
        ),
        (F::Split, vec![text("a,b"), text(",")], texts(&["a", "b"])),
        (F::Split, vec![text("né"), text("")], texts(&["n", "é"])),
        (F::Join, vec![texts(&["a", "b"]), text("-")], text("a-b")),
        (F::Get, vec![ints(&[1]), int(-1)], Value::None),
        (F::First, vec![ints(&[])], Value::None),
        (F::Last, vec![ints(&[1, 2])], int(2)),
    ];
    for (function, args, expected) in table {
        assert_eq!(call(function, &args), Ok(expected), "{function:?} {args:?}");
    }
}

#[test]
fn functions_of_times_texts_and_numbers_compute_what_their_table_says() {
    use Function as F;
    let table = [
        (F::Date, vec![time(1_777_593_600)], text("2026-05-01")),
        (F::Weekday, vec![time(1_777_593_600)], text("friday")),
        (
            F::Format,
            vec![time(0), text("%d.%m.%Y %H:%M")],
            text("01.01.1970 00:00"),
        ),
        (F::Format, vec![float(2.71), text("0.0")], text("2.7")),
        (F::Format, vec![float(-0.001), text("0.0")], text("0.0")),
        (F::Format, vec![int(-7), text("000")], text("-007")),
        (F::Format, vec![seconds(65), text("m:ss")], text("1:05")),
        (
            F::Format,
            vec![seconds(3725), text("hh:mm:ss")],
            text("01:02:05"),
        ),
        (F::Json, vec![texts(&["a\""])], text(r#"["a\""]"#)),
        (F::Upper, vec![text("straße")], text("STRASSE")),
        (F::Trim, vec![text("\u{a0} a ")], text("a")),
        (
            F::Replace,
            vec![text("aaa"), text("a"), text("bb")],
            text("bbbbbb"),
        ),
        (F::Replace, vec![text("a"), text(""), text("b")], text("a")),
        (
            F::StartsWith,
            vec![text("abc"), text("ab")],
            Value::Bool(true),
        ),
        (F::Round, vec![float(2.5)], int(3)),
        (F::Floor, vec![float(-2.5)], int(-3)),
        (F::Ceil, vec![float(2.1)], int(3)),
        (F::Abs, vec![money(-5)], money(5)),
        (F::Number, vec![text(" 2.5 ")], float(2.5)),
        (F::Number, vec![text("inf")], Value::None),
        (F::Number, vec![text("")], Value::None),
    ];
    for (function, args, expected) in table {
        assert_eq!(call(function, &args), Ok(expected), "{function:?} {args:?}");
    }
}

#[test]
fn functions_fail_in_the_authors_words() {
    use Function as F;
    let table = [
        (
            F::Pick,
            vec![ints(&[])],
            "there is nothing to pick from: the list is empty",
        ),
        (
            F::Pick,
            vec![ints(&[1]), ints(&[0])],
            "the weights of a `pick` are one per item, none negative, and not all 0",
        ),
        (
            F::Round,
            vec![float(1e300)],
            "the result is too large for its type",
        ),
        (
            F::Range,
            vec![int(i64::MAX)],
            "a list that is computed has at most 1000000 items",
        ),
        (
            F::Range,
            vec![int(i64::MIN), int(i64::MAX)],
            "a list that is computed has at most 1000000 items",
        ),
        (
            F::Format,
            vec![int(1), text("#")],
            "`#` is no pattern for a number: write it with zeros, as `0.00` or `000`",
        ),
        (
            F::Upper,
            vec![int(1)],
            "`upper` can't be called with these arguments",
        ),
    ];
    for (function, args, expected) in table {
        let error = call(function, &args).unwrap_err();
        assert_eq!(error.to_string(), expected);
    }
    for pattern in ["%Q", "%", "%9999999999Y", "%é"] {
        assert!(
            call(F::Format, &[time(0), text(pattern)]).is_err(),
            "{pattern}"
        );
    }
}

#[test]
fn draws_are_the_same_again() {
    let all = call(Function::Shuffle, &[ints(&[1, 2, 3, 4, 5])]).unwrap();
    assert_eq!(
        call(Function::Shuffle, &[ints(&[1, 2, 3, 4, 5])]),
        Ok(all.clone())
    );
    assert_eq!(call(Function::Sort, &[all]), Ok(ints(&[1, 2, 3, 4, 5])));
    let weighted = call(Function::Pick, &[texts(&["a", "b"]), ints(&[0, 1])]);
    assert_eq!(weighted, Ok(text("b")));
}

#[test]
fn holes_are_written_for_readers() {
    let words = EnumType {
        name: None,
        variants: vec![VariantType {
            name: "wide".into(),
            outside: "16:9".into(),
        }],
    };
    let table = [
        (Expr::Const(float(3.0)), "3"),
        (Expr::Const(float(-0.0)), "0"),
        (Expr::Const(float(0.1)), "0.1"),
        (Expr::Const(money(50)), "$0.50"),
        (Expr::Const(seconds(90)), "1m30s"),
        (
            Expr::Outside(
                Box::new(Expr::Const(Value::Enum("wide".into()))),
                Box::new(Type::Enum(Arc::new(words))),
            ),
            "16:9",
        ),
    ];
    for (hole, expected) in table {
        let expr = Expr::Text(vec![
            Part::Str("<".into()),
            Part::Hole(hole),
            Part::Str(">".into()),
        ]);
        assert_eq!(run(&expr), Ok(text(&format!("<{expected}>"))));
    }
    assert!(
        run(&Expr::Text(vec![Part::Hole(Expr::Const(Value::Secret(
            "x".into()
        )))]))
        .is_err()
    );
}

#[test]
fn comprehensions_take_ten_thousand_items_and_no_more() {
    let made = |count| {
        let comprehension = Comprehension {
            local: 0,
            body: Expr::Local(0),
            list: Expr::Call(
                Function::Range,
                vec![Expr::Const(int(count))],
                Site(1),
                None,
            ),
            cond: None,
            site: Site(7),
        };
        eval(
            &Expr::Comprehension(Box::new(comprehension)),
            &Here,
            &mut Fuel::default(),
        )
    };
    assert!(made(10_000).is_ok());
    let error = made(10_001).unwrap_err();
    assert_eq!(error.site, Some(Site(7)));
    assert_eq!(
        error.to_string(),
        "a comprehension takes at most 10000 items, and this list has 10001: use `for`"
    );
}

#[test]
fn checks_and_indices_fail_at_their_site() {
    let narrow = Type::Int(Bounds {
        min: Some(1),
        max: Some(8),
    });
    let expr = Expr::Check(Box::new(Expr::Const(int(9))), Box::new(narrow), Site(4));
    let error = eval(&expr, &Here, &mut Fuel::default()).unwrap_err();
    assert_eq!(error.site, Some(Site(4)));
    let list = Box::new(Expr::Const(ints(&[])));
    let expr = Expr::Index(list, Box::new(Expr::Const(int(0))), Site(5));
    let error = eval(&expr, &Here, &mut Fuel::default()).unwrap_err();
    assert_eq!(error.site, Some(Site(5)));
    assert_eq!(
        error.to_string(),
        "there is no item 0 in a list of 0: positions go from 0 up, and it has none"
    );
}

#[test]
fn work_and_depth_are_bounded() {
    let mut deep = Expr::Const(Value::Bool(true));
    for _ in 0..5000 {
        deep = Expr::Not(Box::new(deep));
    }
    assert_eq!(run(&deep), Err(EvalErrorKind::TooDeep));
    // Such a tree is never built by the compiler; take it apart by hand.
    while let Expr::Not(inner) = deep {
        deep = *inner;
    }
    let long = text(&"x".repeat(1000));
    let mut fuel = Fuel(500);
    let expr = Expr::Call(Function::Upper, vec![Expr::Const(long)], Site(0), None);
    let error = eval(&expr, &Here, &mut fuel).unwrap_err();
    assert_eq!((error.kind, fuel), (EvalErrorKind::OutOfFuel, Fuel(0)));
}

/// Any expressions, most of which make no sense.
struct Generator(Draw);

impl Generator {
    fn below(&mut self, limit: u64) -> usize {
        usize::try_from(self.0.below(limit)).unwrap()
    }

    fn value(&mut self, depth: usize) -> Value {
        let limit = if depth == 0 { 10 } else { 12 };
        match self.below(limit) {
            0 => Value::None,
            1 => Value::Bool(self.below(2) == 0),
            2 => int([0, 1, -1, 7, i64::MAX, i64::MIN][self.below(6)]),
            3 => float([0.0, -0.5, 2.5, 1e300, f64::MAX, f64::MIN_POSITIVE][self.below(6)]),
            4 => text(["", "a", "é,ß", "0.00", "%Y", "m:ss", "💡 x"][self.below(7)]),
            5 => Value::Duration(Duration([0, 1, i64::MIN, i64::MAX][self.below(4)])),
            6 => Value::Money(Money([0, -1, i64::MIN, i64::MAX][self.below(4)])),
            7 => Value::Time(Timestamp([0, i64::MIN, i64::MAX, 1 << 40][self.below(4)])),
            8 => Value::Enum("noir".into()),
            9 => Value::Secret("KEY".into()),
            10 => {
                let count = self.below(4);
                Value::list((0..count).map(|_| self.value(depth - 1)).collect())
            }
            _ => {
                let field = (Arc::from("a"), self.value(depth - 1));
                Value::Record(Arc::new(BTreeMap::from([field])))
            }
        }
    }

    fn expr(&mut self, depth: usize) -> Expr {
        if depth == 0 {
            return Expr::Const(self.value(2));
        }
        let site = Site(0);
        match self.below(9) {
            0 => Expr::Const(self.value(2)),
            1 | 2 => {
                let ops = [
                    Op::Add,
                    Op::Subtract,
                    Op::Multiply,
                    Op::Divide,
                    Op::Remainder,
                    Op::Equal,
                    Op::Less,
                    Op::In,
                    Op::Coalesce,
                    Op::And,
                ];
                let op = ops[self.below(10)];
                Expr::Binary(
                    op,
                    Box::new(self.expr(depth - 1)),
                    Box::new(self.expr(depth - 1)),
                    site,
                )
            }
            3..=5 => {
                let count = u64::try_from(Function::ALL.len()).unwrap();
                let function = Function::ALL[self.below(count)];
                let args = 1 + self.below(3);
                let args = (0..args).map(|_| self.expr(depth - 1)).collect();
                Expr::Call(function, args, site, Some(0))
            }
            6 => Expr::Negate(Box::new(self.expr(depth - 1)), site),
            7 => Expr::Text(vec![Part::Hole(self.expr(depth - 1))]),
            _ => Expr::Index(
                Box::new(self.expr(depth - 1)),
                Box::new(self.expr(depth - 1)),
                site,
            ),
        }
    }
}

#[test]
fn no_expression_panics_or_gives_a_number_that_is_none() {
    let mut generator = Generator(Draw::new(2026, &StepPath::root("generated"), 0));
    for _ in 0..30_000 {
        let expr = generator.expr(3);
        let mut fuel = Fuel(200_000);
        if let Ok(Value::Float(number)) = eval(&expr, &Here, &mut fuel) {
            assert!(number.is_finite(), "{expr:?}");
        }
    }
}
