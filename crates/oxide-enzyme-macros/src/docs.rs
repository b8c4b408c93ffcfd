//! The derivative's documentation: what it is the derivative of, and what each argument means.

use crate::activity::{Kind, Mode};
use crate::request::{Input, Request, shadow_name};

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
            "- `dret`: the seed, which every gradient is multiplied by: 1 for the plain gradient"
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
        lines.push(format!(
            "- `{}`: {meaning}",
            shadow_name(request.mode, name)
        ));
    }
    lines
}

fn returns(request: &Request) -> String {
    let mut parts: Vec<String> = Vec::new();
    if request.returns_primal() {
        parts.push(format!("the result of `{}`", request.primal.sig.ident));
    }
    if request.mode == Mode::Forward && request.output_kind() != Kind::Const {
        parts.push("its tangent".into());
    }
    let gradients = request.inputs.iter().filter(|input| input.has_gradient());
    parts.extend(gradients.map(|input| format!("the gradient of `{}`", input.ident)));
    match parts.as_slice() {
        [] => "Returns nothing.".into(),
        _ => format!("Returns {}.", parts.join(", ")),
    }
}

fn safety(request: &Request) -> String {
    let primal = &request.primal.sig.ident;
    match request.primal.sig.unsafety {
        Some(_) => format!("As for `{primal}`, for arguments and shadows alike."),
        None => "What an argument marked `DuplicatedOnly` or `DualOnly` refers to may hold anything afterwards.".into(),
    }
}
