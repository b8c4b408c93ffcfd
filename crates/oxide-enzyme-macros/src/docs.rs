//! The derivative's documentation: what it is the derivative of, and what each argument means.

use crate::activity::{Kind, Mode};
use crate::request::{Input, Request};

/// One line a doc attribute.
pub fn of(request: &Request) -> Vec<String> {
    let primal = &request.primal.sig.ident;
    let mode = if request.mode == Mode::Forward {
        "Forward"
    } else {
        "Reverse"
    };
    let mut lines = vec![
        format!("{mode}-mode derivative of `{primal}`, by Enzyme."),
        String::new(),
    ];
    lines.extend(
        request
            .inputs
            .iter()
            .flat_map(|input| argument(request, input)),
    );
    if request.has_seed() {
        lines.push(
            match request.width {
                1 => "- `dret`: the seed, which every gradient is multiplied by: 1 for the plain gradient",
                _ => "- `dret`: a seed for each lane, which every gradient of the lane is multiplied by",
            }
            .into(),
        );
    }
    lines.extend([String::new(), returns(request)]);
    if request.inputs.iter().any(Input::has_shadow) {
        lines.extend(
            [
                "",
                "# Panics",
                "If a shadow has not the shape of its argument, or the primal panics.",
            ]
            .map(Into::into),
        );
    }
    if request.is_unsafe() {
        lines.extend(["", "# Safety"].map(Into::into));
        lines.push(safety(request));
    }
    lines
}

/// The same for a split derivative.
pub fn of_split(request: &Request) -> Vec<String> {
    let primal = &request.primal.sig.ident;
    let mut lines = vec![
        format!("Forward pass of the reverse-mode derivative of `{primal}`, by Enzyme."),
        String::new(),
    ];
    let arguments = request
        .inputs
        .iter()
        .flat_map(|input| argument(request, input));
    lines.extend(arguments);
    lines.extend([
        String::new(),
        format!("Returns the result of `{primal}`, and the tape, whose `reverse` takes the seed."),
    ]);
    lines
}

fn argument(request: &Request, input: &Input) -> Vec<String> {
    let name = &input.ident;
    let activity = input.activity.kind.name();
    let mut lines = vec![format!(
        "- `{name}`: as for `{}` ({activity})",
        request.primal.sig.ident
    )];
    if input.has_shadow() {
        let meaning = match request.mode {
            Mode::Forward => format!("the tangent of `{name}`"),
            Mode::Reverse => format!("the shadow of `{name}`, which the gradient is added to"),
        };
        let names: Vec<String> = request
            .shadows(input)
            .iter()
            .map(|shadow| format!("`{shadow}`"))
            .collect();
        let lanes = match request.width {
            1 => String::new(),
            width if input.activity.kind.is_joined() => format!(", {width} of them in turn"),
            _ => ", one for each lane".to_owned(),
        };
        lines.push(format!("- {}: {meaning}{lanes}", names.join(", ")));
    }
    lines
}

fn returns(request: &Request) -> String {
    let mut parts: Vec<String> = Vec::new();
    if request.returns_primal() {
        parts.push(format!("the result of `{}`", request.primal.sig.ident));
    }
    let vector = request.width > 1;
    if request.mode == Mode::Forward && request.output_kind() != Kind::Const {
        parts.push(
            if vector {
                "its tangents, one for each lane"
            } else {
                "its tangent"
            }
            .into(),
        );
    }
    let gradients = request.inputs.iter().filter(|input| input.has_gradient());
    let plural = if vector { "s" } else { "" };
    parts.extend(gradients.map(|input| format!("the gradient{plural} of `{}`", input.ident)));
    match parts.as_slice() {
        [] => "Returns nothing.".into(),
        _ => format!("Returns {}.", parts.join(", ")),
    }
}

fn safety(request: &Request) -> String {
    let primal = &request.primal.sig.ident;
    match request.primal.sig.unsafety {
        Some(_) => format!("As for `{primal}`, for arguments and shadows alike."),
        None => "What an argument marked `DuplicatedOnly`, `DualOnly` or `DualvOnly` refers to may hold anything afterwards.".into(),
    }
}
