//! Ways to break the rule of validity, one part at a time, below the core and without a change of it: each must be
//! noticed.

use serde_json::{Value, json};
use video_resizer::cache::entry::Metadata;
use video_resizer::cache::gate::Verdict;
use video_resizer::purge::ledger::Ledger;

use super::world::World;

/// What is broken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Sabotage {
    /// A fill notes what was heard when it ends, not when it starts.
    HeardAtTheEnd,
    /// A fill claims to have heard of everything that was ever recorded.
    HeardOfEverything,
    /// The same bytes with another lifetime count as a new fill.
    ExtensionsAreFills,
    /// Two clocks are compared: a fill knows of what was recorded before it began by a clock that is ahead.
    ClocksAreCompared,
    /// An isolate looks once and never again.
    NeverLooksAgain,
    /// An isolate looks behind the viewer's back even before its first answer, and after a long pause.
    NobodyWaitsForALook,
    /// The mirror loses what was folded.
    FoldingDrops,
    /// What is newest in the mirror is not in it, though its office says so.
    MirrorLagsBehind,
    /// A soft purge means nothing.
    SoftMeansNothing,
    /// Only one mode of purges is known, the soft one.
    HardIsSoft,
    /// Nobody judges what lies at the edge.
    EdgeIsNotJudged,
    /// Nobody judges what lies in KV.
    KvIsNotJudged,
    /// Nobody judges what is told at the gate, and where that leads.
    ToldIsNotJudged,
    /// Orders name no purge, and the transformation has a copy of its own.
    OrdersNameNoPurge,
    /// What a fill had heard of gets lost on its way through the edge.
    EdgeForgetsWhatWasHeard,
}

/// Where metadata passes by.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Passage {
    IntoEdge,
    OutOfEdge,
    IntoKv,
    /// Under an entry's own key.
    OutOfKv,
    /// Under another name of it.
    OutOfAlias,
}

/// Milliseconds by which the clocks are ahead that are compared.
const AHEAD_MS: u64 = 60_000;

/// The metadata that comes out where this goes in.
pub(crate) fn passing(world: &World, passage: Passage, text: String) -> String {
    use Passage::{IntoEdge, IntoKv, OutOfAlias, OutOfEdge, OutOfKv};
    let Some(sabotage) = world.office.sabotage.get() else { return text };
    let Ok(mut metadata) = Metadata::decode(&text) else { return text };
    let is_kept = matches!(passage, IntoEdge | IntoKv);
    metadata.heard = match (sabotage, passage) {
        (Sabotage::HeardAtTheEnd, _) if is_kept => world.heard_here(),
        (Sabotage::HeardOfEverything, _) if is_kept => world.office.number(),
        (Sabotage::ExtensionsAreFills, _) if is_kept && metadata.validated_ms.is_some() => {
            world.heard_here()
        }
        (Sabotage::ClocksAreCompared, _) if is_kept => {
            let purges = world.office.purges.borrow();
            let before =
                purges.iter().rev().find(|it| it.recorded_ms < metadata.began_ms + AHEAD_MS);
            before.map_or(metadata.heard, |purge| purge.number)
        }
        (Sabotage::EdgeIsNotJudged, OutOfEdge)
        | (Sabotage::KvIsNotJudged, OutOfKv)
        | (Sabotage::ToldIsNotJudged, OutOfAlias) => world.office.number(),
        (Sabotage::EdgeForgetsWhatWasHeard, IntoEdge) => 0,
        _ => return text,
    };
    metadata.encode().unwrap()
}

/// What an asker hears at the gate.
pub(crate) fn told(world: &World, verdict: Verdict) -> Verdict {
    let is_broken = world.office.sabotage.get() == Some(Sabotage::ToldIsNotJudged);
    if let Verdict::Filled { entry } = verdict {
        let entry = if is_broken { passing(world, Passage::OutOfAlias, entry) } else { entry };
        return Verdict::Filled { entry };
    }
    verdict
}

/// What is written where a ledger is mirrored.
pub(crate) fn mirrored(sabotage: Option<Sabotage>, text: &str) -> String {
    let mut ledger: Value = serde_json::from_str(text).unwrap();
    match sabotage {
        Some(Sabotage::FoldingDrops) => ledger["b"] = json!({}),
        Some(Sabotage::MirrorLagsBehind) => {
            let last = ledger["n"].as_u64().unwrap();
            without(&mut ledger, last);
        }
        _ => return text.to_owned(),
    }
    ledger.to_string()
}

/// The same ledger without any mark of one purge.
fn without(value: &mut Value, number: u64) {
    if let Value::Array(marks) = value {
        marks.iter_mut().filter(|mark| **mark == json!(number)).for_each(|it| *it = json!(0));
    } else if let Value::Object(members) = value {
        members.values_mut().for_each(|it| without(it, number));
    }
}

/// What an isolate makes of what it has heard.
#[allow(clippy::wildcard_enum_match_arm)] // the others break something else
pub(crate) fn heard(world: &World, ledger: &Ledger) -> Option<Ledger> {
    let turn: fn(u64, u64) -> Value = match world.office.sabotage.get()? {
        Sabotage::SoftMeansNothing => |hard, _| json!([hard, 0]),
        Sabotage::HardIsSoft => |hard, soft| json!([0, hard.max(soft)]),
        _ => return None,
    };
    let mut value: Value = serde_json::from_str(&ledger.encode().unwrap()).unwrap();
    turn_marks(&mut value, turn);
    Ledger::decode(&value.to_string()).ok()
}

fn turn_marks(value: &mut Value, turn: fn(u64, u64) -> Value) {
    if let Value::Array(marks) = value {
        *value = turn(marks[0].as_u64().unwrap(), marks[1].as_u64().unwrap());
    } else if let Value::Object(members) = value {
        members.values_mut().for_each(|it| turn_marks(it, turn));
    }
}
