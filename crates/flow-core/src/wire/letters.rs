//! The numbers of letters and of what is answered.

use crate::address::Part;
use crate::letter::{Letter, Objection, Order, Reply, Said};
use crate::wire::{wire_choice, wire_struct};

wire_struct!(Part { 1 at, 2 item });

wire_struct!(Letter { 1 by, 2 order });

wire_choice!(Order "order" {
    1 Answer { 1 ticket, 2 shown, 3 value },
    2 Pause {},
    3 Resume {},
    4 Cancel { 1 part, 2 why },
    5 Limit { 1 at, 2 amount },
    6 Reopen { 1 part },
    8 Resolve { 1 ticket, 2 said, 3 bill },
    9 Rebill { 1 ticket, 2 bill },
});

wire_choice!(Said "verdict of a person" {
    1 Happened(..),
    2 DidNot {},
    3 GiveUp {},
});

wire_choice!(Reply "reply" {
    1 Done {},
    2 Refused(..),
});

wire_choice!(Objection "objection" {
    1 NotAsked {},
    2 Expired {},
    3 OtherShown {},
    4 Misfit(..),
    5 Over(1 status),
    6 NotOver {},
    7 PausedAlready {},
    8 NotPaused {},
    9 Nowhere {},
    10 Settled {},
    11 NotFailed {},
    12 NoBudget {},
    13 NotUnknown {},
    14 NotPresumed {},
    15 Busy {},
    16 Unknown {},
    17 NoPlan {},
    18 Unreadable {},
});
