//! The ledger's object: it numbers purges, writes them down, and sees to it that every tier hears of them.
//!
//! What changes is written down in one piece before anybody is told of it, and memory follows the storage, never the
//! other way round: where a write fails, memory is dropped and read again, for nobody knows what was written. So a
//! number is never used for two purges that anybody has heard of. The object is set to wake before it writes that
//! there is something to do, so whatever it dies of, it is done.

use std::cell::{Cell, RefCell};
use std::rc::Rc;

use super::ports::{CloudflareApi, Mirror};
use super::question::{Answer, AuditedPurge, Question};
use super::receipt::{Receipt, Via, Written};
use super::settings::Settings;
use super::state::{RECEIPT_PREFIX, State, receipt_name};
use crate::cache::ports::{Clock, Entropy, Fault};
use crate::durable::{Change, Durable, Order};
use crate::json::{self, Foreign};
use crate::limits::{
    AUDITED_MAX, MIRROR_PAUSE_MS, MIRROR_TIMEOUT_MS, PURGE_PAGE_BYTES_MAX, PURGE_PAGE_MAX,
    ZONE_REQUESTS_A_RUN, ZONE_TIMEOUT_MS,
};
use crate::turn::Turns;

/// What the book works with.
#[derive(Debug)]
pub struct Desk<'a, S, M, A, C> {
    /// Its own storage.
    pub storage: &'a S,
    /// Where isolates look.
    pub mirror: &'a M,
    /// Cloudflare's API.
    pub api: &'a A,
    /// The time, and numbers that nobody foresees.
    pub clock: &'a C,
    /// What of the configuration concerns it.
    pub settings: &'a Settings,
}

/// The book, as the object holds it in memory.
#[derive(Debug, Default)]
pub struct Book {
    turns: Turns,
    /// What is in the storage; `None` where that is not certain.
    state: RefCell<Option<Rc<State>>>,
    mirroring: Busy,
    telling: Busy,
}

impl Book {
    /// Answers one question at a time. A fault of the storage is an error, and then nothing is certain.
    pub async fn answer<S, M, A, C>(
        &self,
        desk: &Desk<'_, S, M, A, C>,
        question: Question,
    ) -> Result<Answer, Fault>
    where
        S: Durable,
        M: Mirror,
        C: Clock,
    {
        let _turn = self.turns.take(desk.clock).await?;
        let state = self.known(desk).await?;
        let now_ms = desk.clock.now_ms();
        match question {
            Question::Record(order) => {
                let (mut next, mut changes) = (State::clone(&state), Vec::new());
                let times = (now_ms, now_ms);
                let written = next.record(order, Via::Api, times, desk.settings, &mut changes);
                let state = self.commit(desk, &state, next, changes, Wake::Soon).await?;
                let receipt = Box::new(state.receipt(written, desk.settings, now_ms));
                Ok(Answer::Recorded { receipt, ledger: state.ledger.encode()? })
            }
            Question::Receipt { number } => {
                let text = desk.storage.get(&receipt_name(number)).await?;
                let written = text.map(|text| read(&text)).transpose()?;
                let receipt = written.map(|written| state.receipt(written, desk.settings, now_ms));
                Ok(Answer::Receipt(receipt.map(Box::new)))
            }
            Question::Log { before, limit } => log(desk, &state, before, limit, now_ms).await,
            Question::Ledger => Ok(Answer::Ledger { ledger: state.ledger.encode()? }),
            Question::AuditState => Ok(Answer::AuditState { until_ms: state.audit.until_ms }),
            Question::Audited { purges, until_ms } => {
                self.audited(desk, &state, purges, until_ms, now_ms).await
            }
            Question::Sweep => {
                let mut next = State::clone(&state);
                let round = next.progress.round(next.ledger.number());
                // Whatever became of an alarm: the clock asks this every hour.
                let state = self.commit(desk, &state, next, Vec::new(), Wake::IfDue).await?;
                Ok(Answer::Sweep { round, ledger: state.ledger.encode()? })
            }
            Question::Swept { number, cursor, deleted, is_complete } => {
                let mut next = State::clone(&state);
                next.progress.swept(number, cursor, deleted, is_complete, now_ms);
                self.commit(desk, &state, next, Vec::new(), Wake::AsSet).await?;
                Ok(Answer::Noted)
            }
        }
    }

    /// What is done when the object is woken: KV and the zone are told what they have not been. Fails where the storage
    /// does; the platform then wakes it again.
    pub async fn wake<S, M, A, C>(&self, desk: &Desk<'_, S, M, A, C>) -> Result<(), Fault>
    where
        S: Durable,
        M: Mirror,
        A: CloudflareApi,
        C: Clock + Entropy,
    {
        self.mirror(desk).await?;
        for _ in 0..ZONE_REQUESTS_A_RUN {
            if !self.tell_zone(desk).await? {
                break;
            }
            self.mirror(desk).await?;
        }
        let _turn = self.turns.take(desk.clock).await?;
        let state = self.known(desk).await?;
        // Whoever is still writing to KV needs nobody to be woken for it again and again.
        let wake = if self.mirroring.is_begun() { Wake::IfDueLater } else { Wake::IfDue };
        self.commit(desk, &state, State::clone(&state), Vec::new(), wake).await.map(drop)
    }

    /// Writes the ledger to KV where that is due and nobody is at it.
    pub async fn mirror<S, M, A, C>(&self, desk: &Desk<'_, S, M, A, C>) -> Result<(), Fault>
    where
        S: Durable,
        M: Mirror,
        C: Clock,
    {
        let began_ms = desk.clock.now_ms();
        let Some(busy) = self.mirroring.begin(began_ms, 2 * u64::from(MIRROR_TIMEOUT_MS)) else {
            return Ok(());
        };
        let ledger = {
            let _turn = self.turns.take(desk.clock).await?;
            let state = self.known(desk).await?;
            let due_ms = state.progress.mirror_due_ms(state.ledger.number());
            if due_ms.is_none_or(|due_ms| due_ms > began_ms) {
                return Ok(());
            }
            state.ledger.clone()
        };
        let taken = desk.mirror.write(&ledger.encode()?, MIRROR_TIMEOUT_MS).await;
        let _turn = self.turns.take(desk.clock).await?;
        let state = self.known(desk).await?;
        let (mut next, now_ms) = (State::clone(&state), desk.clock.now_ms());
        match taken {
            Ok(()) if !busy.took_over => {
                next.progress.mirrored(ledger.number(), began_ms, now_ms);
            }
            // Whose place it took may still be writing.
            Ok(()) => next.progress.doubt(now_ms),
            Err(fault) => {
                tracing::warn!(fault = %fault, "KV did not take the ledger of purges");
                next.progress.not_mirrored(now_ms);
            }
        }
        self.commit(desk, &state, next, Vec::new(), Wake::IfDue).await.map(drop)
    }

    /// Makes one request to the zone where one is due; gives back whether it went well.
    async fn tell_zone<S, M, A, C>(&self, desk: &Desk<'_, S, M, A, C>) -> Result<bool, Fault>
    where
        S: Durable,
        M: Mirror,
        A: CloudflareApi,
        C: Clock + Entropy,
    {
        let began_ms = desk.clock.now_ms();
        let Some(_busy) = self.telling.begin(began_ms, 2 * u64::from(ZONE_TIMEOUT_MS)) else {
            return Ok(false);
        };
        let batch = {
            let _turn = self.turns.take(desk.clock).await?;
            let state = self.known(desk).await?;
            let mut next = State::clone(&state);
            let number = next.ledger.number();
            let batch = next.queue.next(number, desk.settings, began_ms);
            self.commit(desk, &state, next, Vec::new(), Wake::IfDue).await?;
            batch
        };
        let Some(batch) = batch else { return Ok(false) };
        let answer = desk.api.call(&batch.call).await;
        let _turn = self.turns.take(desk.clock).await?;
        let state = self.known(desk).await?;
        let (mut next, now_ms) = (State::clone(&state), desk.clock.now_ms());
        next.queue.settle(&batch, &answer, now_ms, desk.clock.id());
        next.note_zone(now_ms);
        let error = next.queue.last_error();
        let is_done = error.is_empty();
        if !is_done {
            tracing::warn!(error, "the zone was not purged");
        }
        self.commit(desk, &state, next, Vec::new(), Wake::IfDue).await?;
        Ok(is_done)
    }

    async fn audited<S: Durable, M, A, C: Clock>(
        &self,
        desk: &Desk<'_, S, M, A, C>,
        state: &Rc<State>,
        purges: Vec<AuditedPurge>,
        until_ms: u64,
        now_ms: u64,
    ) -> Result<Answer, Fault> {
        if purges.len() > AUDITED_MAX {
            return Ok(Answer::Refused { why: format!("more than {AUDITED_MAX} at once") });
        }
        let (mut next, mut changes) = (State::clone(state), Vec::new());
        let (mut applied, mut repeated, mut echoes) = (Vec::new(), 0, 0);
        for AuditedPurge { id, at_ms, payload, order } in purges {
            if next.audit.has_seen(&id, at_ms) {
                repeated += 1;
            } else if next.queue.takes_echo(&payload, at_ms) {
                echoes += 1;
            } else {
                let times = (at_ms, now_ms);
                let written = next.record(order, Via::AuditLog, times, desk.settings, &mut changes);
                applied.push(written.number);
            }
        }
        next.audit.read_until(until_ms, now_ms);
        let wake = if applied.is_empty() { Wake::AsSet } else { Wake::Soon };
        let state = self.commit(desk, state, next, changes, wake).await?;
        Ok(Answer::Audited { applied, repeated, echoes, ledger: state.ledger.encode()? })
    }

    /// What is in the storage.
    async fn known<S: Durable, M: Mirror, A, C: Clock>(
        &self,
        desk: &Desk<'_, S, M, A, C>,
    ) -> Result<Rc<State>, Fault> {
        if let Some(state) = self.state.borrow().as_ref() {
            return Ok(Rc::clone(state));
        }
        let state = Rc::new(State::load(desk.storage, desk.mirror, desk.clock.now_ms()).await?);
        *self.state.borrow_mut() = Some(Rc::clone(&state));
        Ok(state)
    }

    /// Writes `next` and `changes` down in one piece; memory follows. Whoever calls this has the turn.
    async fn commit<S: Durable, M, A, C: Clock>(
        &self,
        desk: &Desk<'_, S, M, A, C>,
        state: &Rc<State>,
        next: State,
        mut changes: Vec<Change>,
        wake: Wake,
    ) -> Result<Rc<State>, Fault> {
        changes.extend(next.changes_since(state)?);
        let now_ms = desk.clock.now_ms();
        let wake_ms = match wake {
            Wake::Soon => Some(now_ms),
            Wake::IfDue => next.due_ms(desk.settings).map(|due_ms| due_ms.max(now_ms)),
            Wake::IfDueLater => {
                next.due_ms(desk.settings).map(|due_ms| due_ms.max(now_ms + MIRROR_PAUSE_MS))
            }
            Wake::AsSet => None,
        };
        let next = Rc::new(next);
        // What fails from here on leaves nothing in memory: neither what was to be, nor what knows of no doubt.
        *self.state.borrow_mut() = None;
        if let Some(wake_ms) = wake_ms {
            desk.storage.wake_at(wake_ms).await?;
        }
        if !changes.is_empty() {
            desk.storage.change(&changes).await?;
        }
        *self.state.borrow_mut() = Some(Rc::clone(&next));
        Ok(next)
    }
}

/// When the object is woken next.
enum Wake {
    /// At once.
    Soon,
    /// When the next thing is due, if there is one.
    IfDue,
    /// The same, after a pause.
    IfDueLater,
    /// As it was set before.
    AsSet,
}

async fn log<S: Durable, M, A, C>(
    desk: &Desk<'_, S, M, A, C>,
    state: &State,
    before: Option<u64>,
    limit: u32,
    now_ms: u64,
) -> Result<Answer, Fault> {
    let limit = limit.clamp(1, PURGE_PAGE_MAX) as usize;
    let mut after = before.map(receipt_name);
    let (mut receipts, mut bytes, mut is_last) = (Vec::<Receipt>::new(), 0, false);
    while receipts.len() < limit && bytes < PURGE_PAGE_BYTES_MAX && !is_last {
        let wanted = (limit - receipts.len()).min(LOG_PART);
        let listed =
            desk.storage.list(RECEIPT_PREFIX, Order::Descending, after.as_deref(), wanted).await?;
        is_last = listed.len() < wanted;
        for (name, text) in listed {
            bytes += text.len();
            receipts.push(state.receipt(read(&text)?, desk.settings, now_ms));
            after = Some(name);
        }
    }
    let before = receipts.last().map(|receipt| receipt.written.number).filter(|_| !is_last);
    Ok(Answer::Log { receipts, before })
}

/// Receipts that are read at once: each may be long.
const LOG_PART: usize = 10;

fn read(text: &str) -> Result<Written, Fault> {
    json::read(text).map_err(|Foreign| Fault::Corrupt("a receipt that is not ours"))
}

/// Whether somebody is at something that must not be done twice at a time; who never comes back is given up.
#[derive(Debug, Default)]
struct Busy(Cell<Option<u64>>);

#[derive(Debug)]
struct Work<'a> {
    busy: &'a Busy,
    began_ms: u64,
    /// Whether somebody had it who never came back.
    took_over: bool,
}

impl Busy {
    fn is_begun(&self) -> bool {
        self.0.get().is_some()
    }

    fn begin(&self, now_ms: u64, patience_ms: u64) -> Option<Work<'_>> {
        let took_over = match self.0.get() {
            Some(began_ms) if now_ms.saturating_sub(began_ms) < patience_ms => return None,
            Some(_) => true,
            None => false,
        };
        self.0.set(Some(now_ms));
        Some(Work { busy: self, began_ms: now_ms, took_over })
    }
}

impl Drop for Work<'_> {
    fn drop(&mut self) {
        if self.busy.0.get() == Some(self.began_ms) {
            self.busy.0.set(None);
        }
    }
}
