//! The numbers of facts and of all that is in them.
//!
//! A new fact, variant or field takes a number that was never used here.

use crate::address::Ticket;
use crate::arbiter::LedgerId;
use crate::effect::{Act, Effect, FailureClass};
use crate::event::{
    BudgetSet, Counts, Event, Fact, Failure, Firing, FoundProgram, Grant, Origin, PinnedFile,
    Recalled, Same, Start, Started, Status, Then, Timer, Verdict,
};
use crate::plan::{Exhausted, Period};
use crate::step::{Bill, Program, Sent};
use crate::wire::{wire_choice, wire_struct, wire_words};

wire_struct!(Event { 1 at, 2 fact });

wire_choice!(Fact "fact" {
    // The run.
    1 RunStarted(..),
    2 OwnerTook { 1 epoch, 2 binary },
    3 PauseAsked { 1 by },
    4 ResumeAsked { 1 by },
    5 CancelAsked { 1 scope, 2 by, 3 why, 4 item },
    6 Opened { 1 at, 2 within, 3 budget },
    7 LimitsChanged { 1 at, 2 amount, 3 by },
    8 PlanReplaced { 1 plan, 2 sheet, 3 by, 4 inputs, 5 files, 6 estate },
    9 Reset { 1 at, 2 by, 3 estate },
    10 Adopted { 1 at, 2 value, 3 from, 4 key },
    11 RunSettled { 1 status, 2 output },
    12 Reopened { 1 by, 2 at, 3 item },
    13 ProgramsFound { 1 programs },
    // Regions.
    20 ItemsExpanded { 1 at, 2 count, 3 parallel, 4 keys },
    21 BranchTaken { 1 at, 2 arm },
    22 RoundOpened { 1 at, 2 round, 3 state, 4 max },
    23 RaceWon { 1 at, 2 arm },
    24 Yielded { 1 at, 2 item, 3 value },
    25 Broke { 1 at, 2 item, 3 failure, 4 then },
    // Attempts.
    40 Reused { 1 at, 2 key, 3 value, 4 from },
    41 AttemptStarted(..),
    42 WasSent { 1 ticket },
    43 Submitted { 1 ticket, 2 job, 3 expires },
    44 Succeeded { 1 ticket, 2 value, 3 bill },
    45 Failed { 1 ticket, 2 failure, 3 sent, 4 bill, 5 then },
    46 Stopped { 1 ticket, 2 sent, 3 bill, 4 then },
    47 AttemptLost { 1 ticket, 2 bill, 3 then },
    48 Probed { 1 ticket, 2 found, 3 then },
    49 Resolved { 1 ticket, 2 verdict, 3 bill, 4 by },
    50 Rebilled { 1 ticket, 2 bill },
    51 Refused { 1 at, 2 failure, 3 ledger, 4 then, 5 missing },
    52 Joined { 1 at, 2 ticket },
    // Waiting.
    70 Elapsed(..),
    71 Waits { 1 ticket, 2 until, 3 value },
    72 Asked { 1 ticket, 2 form, 3 shown, 4 expires, 5 otherwise },
    73 Answered { 1 ticket, 2 value, 3 by },
});

wire_struct!(Start {
    1 run,
    2 behaviour,
    3 plan,
    4 inputs,
    5 seed,
    6 budget,
    7 trigger,
    8 files,
    9 recalled,
    10 estate,
    11 parent,
});

wire_struct!(Recalled { 1 key, 2 value, 3 from });

wire_struct!(PinnedFile { 1 path, 2 artifact });

wire_struct!(FoundProgram { 1 run, 2 program });

wire_struct!(Program { 1 digest, 2 variables });

wire_struct!(Firing { 1 trigger, 2 scheduled, 3 event, 4 number });

wire_struct!(BudgetSet { 1 amount, 2 per, 3 or, 4 place });

wire_struct!(Origin { 1 run, 2 seq });

wire_struct!(Failure { 1 class, 2 message });

wire_struct!(Ticket { 1 at, 2 generation, 3 attempt });

wire_struct!(Started {
    1 ticket,
    2 effect,
    3 input,
    4 key,
    5 idempotency,
    6 grant,
    7 timeout,
    8 unseeded,
});

wire_struct!(Grant { 1 hold, 2 ledgers, 3 pools, 4 price });

wire_choice!(Then "consequence" {
    1 Fail {},
    2 FallBack {},
    3 Again { 1 wake, 2 same, 3 counts },
    4 Probe { 1 wake },
    5 Unknown {},
    6 Hold {},
    7 Cut {},
    8 HoldUntil { 1 wake },
});

wire_choice!(Verdict "verdict" {
    1 Happened(..),
    2 DidNot {},
    3 GiveUp {},
});

wire_choice!(Timer "timer" {
    1 Pause(..),
    2 Within(..),
    3 Wait(..),
    4 Expiry(..),
});

wire_choice!(Bill "bill" absent None {
    1 None {},
    2 Exact(..),
    3 Presumed(..),
});

wire_choice!(Effect "effect" absent Pure {
    1 Pure {},
    2 Read {},
    3 Paid {},
    4 Act(..),
});

wire_choice!(Act "kind of act" {
    1 Keyed(1 window),
    2 Probed {},
    3 Once {},
});

wire_choice!(LedgerId "ledger" {
    1 Project {},
    2 ProjectPeriod { 1 period, 2 day },
    3 Provider(..),
    4 Trigger { 1 name, 2 period },
    5 Scope { 1 path, 2 period, 3 day },
    6 Run(..),
    7 Instance(1 run, 2 at),
    8 Place(1 run, 2 place),
});

wire_words!(Status "status" { 1 Succeeded, 2 Failed, 3 Cancelled });

wire_words!(Same "kind of attempt" { 1 Act, 2 No });

wire_words!(Counts "kind of count" { 1 Yes, 2 No });

wire_words!(Sent "state of a request" { 1 No, 2 Maybe, 3 Refused });

wire_words!(Period "period" { 1 Day, 2 Week, 3 Month });

wire_words!(Exhausted "choice at a budget" { 1 Stop, 2 Ask });

wire_words!(FailureClass "class of failures" {
    1 Transient,
    2 RateLimited,
    3 Timeout,
    4 Invalid,
    5 Auth,
    6 Policy,
    7 Capacity,
    8 Budget,
    9 Expired,
    10 Bug,
    11 UnknownOutcome,
});
