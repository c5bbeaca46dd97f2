//! The equal CLI command, to go on in a terminal or in CI.

use super::Policy;
use crate::domain::{BatchId, GoDuration, text::is_deceptive};

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

/// A word that a POSIX shell takes literally. What a person could not see is
/// written as `printf` writes it: pasted raw, it could act on the terminal, or
/// hide what the command does. Two things no argument and no `$(…)` can carry
/// are left out: a NUL, and line breaks at the end.
fn quoted(word: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "-_.,/:@%+=".contains(c);
    // zsh reads `=word` as the path of a command.
    if !word.is_empty() && !word.starts_with('=') && word.chars().all(plain) {
        return word.to_owned();
    }
    if word.chars().any(is_deceptive) {
        return printed(word);
    }
    format!("'{}'", word.replace('\'', r"'\''"))
}

/// The word as the output of `printf`.
fn printed(word: &str) -> String {
    let mut format = String::new();
    for (place, c) in word.chars().enumerate() {
        match c {
            '\0' => {}
            '%' => format.push_str("%%"),
            // `!` means history inside the double quotes, `-` an option.
            '\\' | '\'' | '!' => push_octal(&mut format, c),
            '-' if place == 0 => push_octal(&mut format, c),
            c if is_deceptive(c) => push_octal(&mut format, c),
            c => format.push(c),
        }
    }
    format!("\"$(printf '{format}')\"")
}

fn push_octal(out: &mut String, c: char) {
    let mut bytes = [0; 4];
    for byte in c.encode_utf8(&mut bytes).bytes() {
        out.push_str(&format!("\\{byte:03o}"));
    }
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
        assert_eq!(quoted("x $(id)"), "'x $(id)'");
        assert_eq!(quoted("=ls"), "'=ls'");
        assert_eq!(quoted(""), "''");
    }

    #[test]
    fn what_cannot_be_seen_is_spelt_out() {
        assert_eq!(quoted("a\nb"), r#""$(printf 'a\012b')""#);
        assert_eq!(quoted("\u{202e}x"), r#""$(printf '\342\200\256x')""#);
        assert_eq!(
            quoted("-%'!\\\t\0"),
            r#""$(printf '\055%%\047\041\134\011')""#
        );
    }

    #[test]
    fn the_states_that_fail_are_given_on_where_they_are_not_those_of_the_rerun() {
        let policy = Policy {
            fail_on: crate::supervise::WatchedStates::parse("Error,Blocker").unwrap(),
            ..Policy::default()
        };
        let command = supervise_command(&policy, "p", BatchId::from_u128(1), 1);
        assert!(
            command.contains(" --fail-on-states Error,Blocker --poll-every "),
            "{command}"
        );
        let command = supervise_command(&Policy::default(), "p", BatchId::from_u128(1), 1);
        assert!(!command.contains("fail-on-states"), "{command}");
    }
}
