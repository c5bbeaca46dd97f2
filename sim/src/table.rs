//! What a person reads of a simulation.

use retake_sim::{
    Ending, Fault, Line, Mix, OUTSIDE, Phase, SeedRange, Totals, compare as references, impossible,
    run_many, sweep as windows,
};

use retake_figures::{Figure, Figures};

use crate::figures::{newer_figure, sweep_figure};

/// A cell is covered in a night of this many seeds when it is hit as often as this.
pub(crate) const NIGHT: (u64, u64) = (20_000_000, 1_000);

/// What `--compare` is asked for: one lost supervision in as many is the goal's limit.
const COMPARED: u64 = 10_000;

pub(crate) fn years(ms: u64) -> f64 {
    ms as f64 / (365.25 * 86_400_000.0)
}

/// The table of a set of runs.
pub(crate) fn print(totals: &Totals, range: &SeedRange, commit: &str, cells: bool) {
    let seconds = totals.took.as_secs_f64();
    let cores = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
    let rate = totals.runs as f64 / seconds / cores as f64;
    println!("simulation of {:?} seeds, commit {commit}", range.mix);
    println!("  seeds            {} from {}", totals.runs, range.from);
    println!("  virtual time     {:.0} years", years(totals.virtual_ms));
    println!("  API calls        {}", totals.calls);
    println!("  violations       {}", totals.failed);
    for (promise, (count, seed)) in &totals.broken {
        println!("    {count:>6}  {promise} (first by seed {seed})");
    }
    println!("  wall time        {seconds:.1} s, {rate:.0} runs/s on each of {cores} cores");
    match totals.worked {
        Some(worked) => println!(
            "  processor time   {:.1} s, {:.0} runs/s of one core",
            worked.as_secs_f64(),
            totals.runs as f64 / worked.as_secs_f64()
        ),
        None => println!("  processor time   not told by this system"),
    }
    println!("  fingerprint      {:016x}", totals.fingerprint);
    println!("\nendings");
    for ending in Ending::ALL {
        let count = totals.coverage.endings.get(&ending).copied().unwrap_or(0);
        let name = match ending {
            Ending::Exit(code) => format!("exit {code}"),
            Ending::Stopped => "stopped".into(),
        };
        println!("  {name:<16} {count}");
    }
    for (why, count) in &totals.coverage.gave_up {
        println!("    exit 1: {count:>8}  {why}");
    }
    println!("\ncases");
    for (name, count, _) in totals.coverage.reach.cases() {
        println!(
            "  {name:<60} {count:>10}  {:>8.1} per million",
            count as f64 * 1e6 / totals.runs as f64
        );
    }
    coverage(totals, cells);
    for failure in totals.failures.iter().take(10) {
        println!("  seed {}: {}", failure.seed, failure.promise);
    }
}

/// The fault × phase cells.
fn coverage(totals: &Totals, all: bool) {
    let (mut hit, mut possible, mut kinds) = (0, 0, 0);
    let mut thin = Vec::new();
    let night = NIGHT.1 as f64 / NIGHT.0 as f64 * totals.runs as f64;
    if all {
        print!("\n{:<34}", "fault × phase");
        for phase in Phase::ALL {
            print!("{:>10}", phase.words());
        }
        println!();
    }
    for fault in Fault::ALL {
        let mut any = false;
        if all {
            print!("{:<34}", fault.words());
        }
        for phase in Phase::ALL {
            let count = totals.coverage.cell(*fault, phase);
            let cannot = impossible(*fault, phase);
            any |= count > 0;
            if cannot.is_none() {
                possible += 1;
                hit += usize::from(count > 0);
                if f64::from(count) < night {
                    thin.push(format!("{} × {} ({count})", fault.words(), phase.words()));
                }
            }
            if all {
                match (cannot, count) {
                    (Some(_), 0) => print!("{:>10}", "·"),
                    _ => print!("{count:>10}"),
                }
            }
        }
        kinds += usize::from(any);
        if all {
            println!();
        }
    }
    println!(
        "\ncoverage: {kinds} fault kinds hit; {hit} of {possible} fault × phase cells that can be hit"
    );
    println!(
        "  {} cells below the rate of {} per {} seeds{}",
        thin.len(),
        NIGHT.1,
        NIGHT.0,
        if thin.is_empty() { "" } else { ":" }
    );
    for cell in thin {
        println!("    {cell}");
    }
    let mut reasons: Vec<&str> = Fault::ALL
        .iter()
        .flat_map(|fault| Phase::ALL.map(|phase| impossible(*fault, phase)))
        .flatten()
        .collect();
    reasons.sort_unstable();
    let every = reasons.len();
    println!("  {every} cells cannot be hit:");
    reasons.dedup();
    for reason in reasons {
        println!("    {reason}");
    }
    println!(
        "  {} faults of the alphabet are outside this model:",
        OUTSIDE.len()
    );
    for (what, why) in OUTSIDE {
        println!("    {what}: {why}");
    }
}

/// Runs a second of processor time, where the system tells it.
pub(crate) fn speed(totals: &Totals) -> Option<f64> {
    totals
        .worked
        .map(|worked| totals.runs as f64 / worked.as_secs_f64())
}

/// Whether it was as fast as was demanded, if it was.
pub(crate) fn is_fast(totals: &Totals, demanded: Option<u64>) -> bool {
    let Some(demanded) = demanded else {
        return true;
    };
    let fast = speed(totals).is_some_and(|speed| speed >= demanded as f64);
    if !fast {
        println!("too slow: {demanded} runs a second of processor time were demanded");
    }
    fast
}

/// Doubles by the length of the settle window.
pub(crate) fn sweep(seeds: u64, commit: &str, how: &str, into: &mut Figures) -> bool {
    println!(
        "settle windows, requests up to 60 s late, {seeds} seeds each, commit {commit}\n\n\
         {:<10} {:>14} {:>12} {:>36}",
        "window", "applied twice", "per million", "runs that broke another promise"
    );
    let mut kept = true;
    for it in windows(seeds) {
        let per_million = it.doubles as f64 * 1e6 / it.runs as f64;
        let holds = it.doubles == 0 && it.faltered == 0;
        println!(
            "{:<10} {:>14} {:>12.0} {:>36}{}",
            format!("{} s", it.seconds),
            it.doubles,
            per_million,
            it.faltered,
            if it.must_hold && !holds {
                "  BROKEN"
            } else {
                ""
            }
        );
        kept &= holds || !it.must_hold;
        into.add(sweep_figure(&it), how);
    }
    kept
}

/// Whether every case and cell was met that so many seeds must meet.
pub(crate) fn is_reached(totals: &Totals, seeds: u64) -> bool {
    if seeds < 1_000_000 {
        return true;
    }
    let mut reached = true;
    for (name, count, must) in totals.coverage.reach.cases() {
        if must && count == 0 {
            println!("never met: {name}");
            reached = false;
        }
    }
    for ending in Ending::ALL {
        if !totals.coverage.endings.contains_key(&ending) {
            println!("never ended as {ending:?}");
            reached = false;
        }
    }
    for fault in Fault::ALL {
        for phase in Phase::ALL {
            let count = totals.coverage.cell(*fault, phase);
            if impossible(*fault, phase).is_none() && count == 0 {
                println!("never hit: {} in {}", fault.words(), phase.words());
                reached = false;
            }
        }
    }
    reached
}

/// The core beside the reference policies, in both mixes.
pub(crate) fn compare(seeds: u64, commit: &str, how: &str, into: &mut Figures) -> bool {
    println!("supervisions that end without a verdict, {seeds} seeds each, commit {commit}\n");
    println!(
        "{:<8} {:<38} {:>12} {:>22}",
        "mix", "policy", "lost", "a decision run twice"
    );
    let mut kept = true;
    for mix in [Mix::Harsh, Mix::Mild] {
        let percent = |part: u64| format!("{:.4} %", part as f64 * 100.0 / seeds as f64);
        for it in references(mix, seeds) {
            println!(
                "{:<8} {:<38} {:>12} {:>22}",
                format!("{mix:?}"),
                it.policy,
                percent(it.lost),
                percent(it.doubled)
            );
        }
        let range = SeedRange {
            mix,
            ..SeedRange::swarm(0, seeds)
        };
        let totals = run_many(&range, || ());
        let lost = totals
            .coverage
            .endings
            .get(&Ending::Exit(1))
            .copied()
            .unwrap_or(0);
        println!(
            "{:<8} {:<38} {:>12} {:>22}",
            format!("{mix:?}"),
            "Retake's core",
            percent(lost),
            percent(totals.failed)
        );
        for (why, count) in &totals.coverage.gave_up {
            println!("           {count:>8}  {why}");
        }
        let few = lost * 10_000 <= seeds;
        kept &= totals.failed == 0 && few;
        let what = format!("supervisions lost, {mix:?} faults").to_lowercase();
        let figure = Figure::goal("#10", &what, "at most 0.01 %", percent(lost), few);
        into.add(figure.over(seeds, COMPARED, "seeds"), how);
        into.add(newer_figure(&totals, mix), how);
    }
    kept
}

/// A timeline.
pub(crate) fn story(lines: &[Line]) {
    for line in lines {
        let at = line.at;
        println!(
            "{:>4}:{:02}:{:02}.{:03}  {:<16} {}",
            at / 3_600_000,
            at / 60_000 % 60,
            at / 1_000 % 60,
            at % 1_000,
            line.who,
            line.what
        );
    }
}
