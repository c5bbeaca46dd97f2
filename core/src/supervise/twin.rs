//! The equal CLI command, to go on in a terminal or in CI.

use super::Policy;
use crate::domain::{BatchId, GoDuration};

/// The `batches supervise` command that does what this policy does, with the
/// reruns that are left. Values are quoted for a POSIX shell.
pub fn supervise_command(
    policy: &Policy,
    project: &str,
    batch: BatchId,
    attempts_made: u32,
) -> String {
    let left = policy.max_rerun_attempts.saturating_sub(attempts_made);
    let mut command = format!(
        "resim batches supervise --project {} --batch-id {batch} --max-rerun-attempts {left} \
         --rerun-max-failure-percent {} --rerun-on-states {}",
        quoted(project),
        policy.rerun_max_failure_percent,
        quoted(&policy.rerun_on.to_string()),
    );
    if !policy.fail_on.is_empty() {
        command.push_str(&format!(
            " --fail-on-states {}",
            quoted(&policy.fail_on.to_string())
        ));
    }
    command.push_str(&format!(
        " --poll-every {} --wait-timeout {}",
        GoDuration::from_std(policy.poll_every),
        GoDuration::from_std(policy.wait_timeout)
    ));
    command
}

/// A word that a POSIX shell takes literally. Control characters are dropped:
/// pasted into a terminal, they could act.
fn quoted(word: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "-_.,/:@%+=".contains(c);
    if !word.is_empty() && word.chars().all(plain) {
        return word.to_owned();
    }
    let clean: String = word.chars().filter(|c| !c.is_control()).collect();
    format!("'{}'", clean.replace('\'', r"'\''"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_command_is_ready_to_paste() {
        let command = supervise_command(
            &Policy::default(),
            "Warehouse robots",
            BatchId::from_u128(7),
            0,
        );
        assert_eq!(
            command,
            "resim batches supervise --project 'Warehouse robots' \
             --batch-id 00000000-0000-0000-0000-000000000007 --max-rerun-attempts 1 \
             --rerun-max-failure-percent 50 --rerun-on-states Warning,Error,Blocker \
             --poll-every 30s --wait-timeout 1h0m0s"
        );
    }

    #[test]
    fn names_cannot_escape_the_quotes() {
        assert_eq!(quoted("a'; rm -rf ~; '"), r"'a'\''; rm -rf ~; '\'''");
        assert_eq!(quoted("x\n$(id)"), "'x$(id)'");
        assert_eq!(quoted(""), "''");
    }
}
