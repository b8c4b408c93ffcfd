//! Training by L-BFGS: what it knows of the curvature are the last few steps and how the gradient changed over them.

use std::collections::VecDeque;

/// Steps that are remembered.
const MEMORY: usize = 10;
/// Share of the decrease promised by the gradient that a step must bring.
const DECREASE: f64 = 1e-4;
/// Share of the slope that may be left at the end of a step: less makes each step dearer.
const FLATTENING: f64 = 0.9;

/// Where training is.
#[derive(Clone)]
pub struct State {
    pub parameters: Vec<f64>,
    /// The loss, and the gradient after it.
    pub loss_and_gradient: Vec<f64>,
}

impl State {
    pub fn new(parameters: Vec<f64>, evaluate: impl Fn(&[f64]) -> Vec<f64>) -> State {
        State {
            loss_and_gradient: evaluate(&parameters),
            parameters,
        }
    }

    pub fn loss(&self) -> f64 {
        self.loss_and_gradient[0]
    }

    pub fn gradient(&self) -> &[f64] {
        &self.loss_and_gradient[1..]
    }
}

struct Step {
    change: Vec<f64>,
    gradient_change: Vec<f64>,
}

/// Minimises: `evaluate` gives the loss and, after it, the gradient. Stops after so many steps, or when no step helps.
pub fn minimise(
    mut state: State,
    steps: usize,
    evaluate: impl Fn(&[f64]) -> Vec<f64>,
    mut show: impl FnMut(usize, &State),
) -> State {
    let mut memory = VecDeque::new();
    for step in 1..=steps {
        let direction = direction(state.gradient(), &memory);
        let Some(next) = search(&state, &direction, &evaluate) else {
            break;
        };
        remember(&mut memory, &state, &next);
        state = next;
        show(step, &state);
    }
    state
}

/// Minus the gradient, times what is known of the inverse of the second derivatives (Nocedal 1980).
fn direction(gradient: &[f64], memory: &VecDeque<Step>) -> Vec<f64> {
    let mut direction: Vec<f64> = gradient.iter().map(|slope| -slope).collect();
    let mut factors = Vec::new();
    for step in memory.iter().rev() {
        let curvature = dot(&step.change, &step.gradient_change);
        let factor = dot(&step.change, &direction) / curvature;
        add(&mut direction, -factor, &step.gradient_change);
        factors.push((factor, curvature));
    }
    if let (Some(step), Some((_, curvature))) = (memory.back(), factors.first()) {
        let size = curvature / dot(&step.gradient_change, &step.gradient_change);
        direction.iter_mut().for_each(|d| *d *= size);
    }
    for (step, (factor, curvature)) in memory.iter().zip(factors.iter().rev()) {
        let correction = factor - dot(&step.gradient_change, &direction) / curvature;
        add(&mut direction, correction, &step.change);
    }
    direction
}

/// A step that lowers the loss enough and goes far enough (Wolfe), by doubling and bisection.
fn search(
    state: &State,
    direction: &[f64],
    evaluate: impl Fn(&[f64]) -> Vec<f64>,
) -> Option<State> {
    let slope = dot(state.gradient(), direction);
    let (mut short, mut long) = (0.0, f64::INFINITY);
    let mut length = 1.0;
    for _ in 0..40 {
        let mut parameters = state.parameters.clone();
        add(&mut parameters, length, direction);
        let next = State::new(parameters, &evaluate);
        let enough = next.loss() < state.loss() + DECREASE * length * slope;
        if !enough {
            long = length;
        } else if dot(next.gradient(), direction) < FLATTENING * slope {
            short = length;
        } else {
            return Some(next);
        }
        length = if long.is_finite() {
            0.5 * (short + long)
        } else {
            2.0 * short
        };
    }
    None
}

fn remember(memory: &mut VecDeque<Step>, before: &State, after: &State) {
    let subtract =
        |a: &[f64], b: &[f64]| -> Vec<f64> { a.iter().zip(b).map(|(a, b)| a - b).collect() };
    let step = Step {
        change: subtract(&after.parameters, &before.parameters),
        gradient_change: subtract(after.gradient(), before.gradient()),
    };
    // A good step has positive curvature; rounding errors may spoil it, and turn the next step uphill.
    if dot(&step.change, &step.gradient_change) > 0.0 {
        memory.push_back(step);
    }
    if memory.len() > MEMORY {
        memory.pop_front();
    }
}

fn dot(a: &[f64], b: &[f64]) -> f64 {
    a.iter().zip(b).map(|(a, b)| a * b).sum()
}

fn add(to: &mut [f64], factor: f64, values: &[f64]) {
    to.iter_mut()
        .zip(values)
        .for_each(|(to, value)| *to += factor * value);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_valley_of_rosenbrock_is_followed_to_its_lowest_point() {
        let valley = |p: &[f64]| {
            let (x, y) = (p[0], p[1]);
            let bend = y - x * x;
            vec![
                (1.0 - x).powi(2) + 100.0 * bend * bend,
                -2.0 * (1.0 - x) - 400.0 * x * bend,
                200.0 * bend,
            ]
        };
        let start = State::new(vec![-1.2, 1.0], valley);
        let end = minimise(start, 200, valley, |_, _| {});
        assert!(
            end.parameters.iter().all(|p| (p - 1.0).abs() < 1e-6),
            "{:?}",
            end.parameters
        );
    }
}
