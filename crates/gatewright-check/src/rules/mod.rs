//! One file each. To add one: copy the shortest, give it a row in the catalogue of codes and a page, and list it here; a
//! test compares this list with the folder.

use gatewright_ir::schema::Protection;

use crate::{Context, Rule};

macro_rules! rules {
    ($($name:ident),* $(,)?) => {
        $(mod $name;)*
        /// Every rule, in the order of their codes.
        pub(crate) static ALL: &[&Rule] = &[$(&$name::RULE),*];
        #[cfg(test)]
        const FILES: &[&str] = &[$(stringify!($name)),*];
    };
}

rules! {
    unguarded_operation,
    opened_without_public,
    unknown_scheme,
    undeclared_scope,
    unknown_name,
    unknown_reference,
    unreachable_role,
    role_cycle,
    level_without_key,
    level_below_scope,
    unsatisfiable,
    uncountable_limit,
    needs_caller,
    lifecycle_order,
    weakens_default,
    flow_without_limit,
    key_in_query,
    secret_in_url,
    optional_owner,
    wrong_cost,
    public_list,
    guarded_outgoing,
    guarded_no_property,
    not_enforced_yet,
    unchecked_body,
}

pub(crate) use unknown_scheme::declare;

/// What is said about the protection of data, wherever it is said.
fn protections<'a>(cx: &Context<'a>) -> impl Iterator<Item = &'a Protection> {
    let parameters = cx.api().operations.iter().flat_map(|operation| &operation.parameters);
    let schemas = cx.api().schemas.iter().filter_map(|(_, schema)| schema.notes.protection.as_ref());
    parameters.filter_map(|parameter| parameter.protection.as_ref()).chain(schemas)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    #[allow(clippy::disallowed_methods)] // reads its own folder
    fn every_file_is_listed() {
        let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/src/rules");
        let mut files: Vec<String> = std::fs::read_dir(folder)
            .unwrap()
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .filter_map(|name| name.strip_suffix(".rs").map(str::to_owned))
            .filter(|name| name != "mod")
            .collect();
        files.sort();
        let mut listed = FILES.to_vec();
        listed.sort_unstable();
        assert_eq!(files, listed);
    }

    #[test]
    fn every_rule_is_in_the_catalogue_at_its_level_and_named_as_its_file() {
        assert!(ALL.windows(2).all(|pair| pair[0].code < pair[1].code));
        for (rule, file) in ALL.iter().zip(FILES) {
            let entry = gatewright_diag::lookup(rule.code).unwrap();
            assert_eq!(entry.level, rule.level, "{file}");
            assert_eq!(entry.name.replace('-', "_"), *file);
        }
    }
}
