//! Products of matrices: functions of the crate `oxide-enzyme` (`product.rs` there) stand in for those of `matrixmultiply`.

use crate::policy;

/// A function of `matrixmultiply` for which there is another one.
#[derive(Debug, PartialEq, Eq)]
pub struct Product {
    float: &'static str,
    /// By loops, which are differentiated in every mode and at every width.
    pub by_loops: &'static str,
    /// By rules for width 1.
    pub by_rule: &'static str,
}

const DOUBLE: Product = Product {
    float: "double",
    by_loops: "__oxide_enzyme_dgemm",
    by_rule: "__oxide_enzyme_dgemm_by_rule",
};
const SINGLE: Product = Product {
    float: "float",
    by_loops: "__oxide_enzyme_sgemm",
    by_rule: "__oxide_enzyme_sgemm_by_rule",
};

/// What `symbol`, the head of whose definition is `head`, may be replaced by.
pub fn product(symbol: &str, head: &str) -> Option<&'static Product> {
    if !symbol.contains("matrixmultiply") {
        return None;
    }
    let product = match policy::path(symbol).as_str() {
        "matrixmultiply::gemm::dgemm" => &DOUBLE,
        "matrixmultiply::gemm::sgemm" => &SINGLE,
        _ => return None,
    };
    let float = product.float;
    let types = format!("i64 i64 i64 {float} ptr i64 i64 ptr i64 i64 {float} ptr i64 i64");
    let found = parameters(head)?.split(", ");
    let found: Vec<&str> = found.filter_map(|one| one.split(' ').next()).collect();
    (found.join(" ") == types).then_some(product)
}

/// A body that calls `other`, with `more` arguments.
pub fn body(head: &str, other: &str, more: &str) -> Option<String> {
    let parameters = parameters(head)?;
    Some(format!(
        "start:\n  call void @{other}({parameters}{more})\n  ret void\n}}"
    ))
}

/// `define void @f(PARAMETERS) ...`: those of these functions have no parentheses in them.
fn parameters(head: &str) -> Option<&str> {
    let (_, parameters) = head.split_once('(')?;
    Some(parameters.split_once(')')?.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    const SYMBOL: &str = "_ZN14matrixmultiply4gemm5dgemm17h8991b7b72fc1dd51E";

    #[test]
    fn a_product_is_known_by_name_and_signature() {
        let head = "define void @f(i64 noundef %m, i64 %k, i64 %n, double %x, ptr %a, i64 %r, i64 %s, ptr %b, i64 %t, i64 %u, double %y, ptr noundef %c, i64 %v, i64 %w) #0";
        assert_eq!(product(SYMBOL, head), Some(&DOUBLE));
        assert!(
            body(head, "g", "")
                .unwrap()
                .contains("call void @g(i64 noundef %m, i64 %k")
        );
        let other = head.replace("double %y", "float %y");
        assert_eq!(product(SYMBOL, &other), None);
        assert_eq!(
            product("_ZN14matrixmultiply4gemm5cgemm17h8991b7b72fc1dd51E", head),
            None
        );
    }
}
