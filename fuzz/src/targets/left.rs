//! What a reload finds of a rerun by hand: read, and taken up.

use std::{collections::BTreeMap, time::Duration};

use retake_core::{
    api::{ApiError, ErrorKind},
    rerun::{Doubt, Effect, Found, Left, Limits, Stage, Submission, SubmissionInput},
    supervise::STORED_FORM,
};
use serde::de::IgnoredAny;

use super::{Outcome, promise::holds};
use crate::{class::size, judge::Broken, stage::NOW};

/// More steps than looks fit into the time that is played.
const STEPS: usize = 200;

pub(super) fn left(bytes: &[u8]) -> Result<Outcome, Broken> {
    let text = String::from_utf8_lossy(bytes);
    let lines: Vec<&str> = text.lines().collect();
    let left = match Left::read(STORED_FORM, lines.iter().copied()) {
        Found::Nothing => {
            let intent = lines.iter().rposition(|line| is(line, "Intent"));
            let over = lines.iter().rposition(|line| is(line, "Over"));
            holds(intent <= over, || "an intent was taken for nothing".into())?;
            return Ok(Outcome::invalid("nothing"));
        }
        Found::Unreadable => return Ok(Outcome::invalid("unreadable")),
        Found::Accepted(_) => {
            let said = lines.iter().any(|line| is(line, "Accepted"));
            holds(said, || "accepted, although no line says so".into())?;
            return Ok(Outcome::valid("accepted"));
        }
        Found::Left(left) => left,
    };
    let doubt = left.doubt(NOW);
    let last = lines.iter().rfind(|line| !is(line, "Of"));
    let last = last.copied().unwrap_or_default();
    holds(is(last, "Held") || doubt == Doubt::Open, || {
        format!("{doubt:?}, although the last line is {last}")
    })?;
    let (mut submission, effects) =
        Submission::restored(left.intent.clone(), Limits::default(), &left.tries, NOW);
    if doubt == Doubt::Open {
        let settles = matches!(submission.stage(), Stage::Settling { .. });
        holds(settles, || {
            format!("{:?} is not in doubt", submission.stage())
        })?;
    }
    silence(&mut submission, effects)?;
    let class = format!(
        "{doubt:?}, {} lines, of {}",
        size(lines.len()),
        left.of.is_some()
    );
    Ok(Outcome::valid(class))
}

/// What kind of line it is, judged without the core's types. What is in it may be
/// nested too deep for a tree of values.
#[expect(clippy::zero_sized_map_values, reason = "only the keys count")]
fn is(line: &str, kind: &str) -> bool {
    type Object = BTreeMap<String, IgnoredAny>;
    serde_json::from_str::<Object>(line).is_ok_and(|it| it.contains_key(kind))
}

/// Without a look that is answered nothing is sent.
fn silence(submission: &mut Submission, mut effects: Vec<Effect>) -> Result<(), Broken> {
    let mut now = NOW;
    for _ in 0..STEPS {
        let Some(effect) = effects.pop() else {
            break;
        };
        let next = match effect {
            Effect::Post => return Err(Broken::ActedOnInvalid("a POST without a look".into())),
            Effect::Look => {
                let gone = ApiError::new("read", ErrorKind::Unreachable, "gone");
                submission.handle(SubmissionInput::Looked(now, Err(gone)), now)
            }
            Effect::WakeAt(at) => {
                now = now.max(at).after(Duration::from_millis(1));
                submission.handle(SubmissionInput::Wake, now)
            }
            _ => continue,
        };
        effects.extend(next);
    }
    Ok(())
}
