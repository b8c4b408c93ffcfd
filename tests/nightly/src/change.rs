/// What the book says to change, and no more: the feature gate goes, and the `use` line names another crate.
fn from_nightly(text: &str) -> String {
    let gate = |line: &&str| *line != "#![feature(autodiff)]";
    let lines = text.lines().filter(gate).map(|line| {
        if line.starts_with("use ") {
            line.replacen("std::autodiff", "oxide_enzyme", 1)
        } else {
            line.to_owned()
        }
    });
    lines.map(|line| line + "\n").collect()
}
