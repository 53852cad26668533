//! Numbers every scheme, scope, role and level of an API once.

use std::collections::HashMap;

use gatewright_ir::CheckedIr;
use gatewright_ir::policy::{Access, PolicySet, Scheme, Verify};

use crate::names::used_schemes;

/// The bit of each grant, and the index of each scheme, role, level, network and action in its table.
#[derive(Debug, Default)]
pub(crate) struct Bits {
    pub(crate) count: u16,
    pub(crate) schemes: Vec<SchemeBits>,
    pub(crate) roles: HashMap<String, u16>,
    pub(crate) levels: HashMap<String, u16>,
}

/// The bits of one scheme.
#[derive(Debug)]
pub(crate) struct SchemeBits {
    pub(crate) name: String,
    pub(crate) bit: u16,
    /// In the order of numbering.
    pub(crate) scopes: Vec<(String, u16)>,
    by_scope: HashMap<String, u16>,
}

/// More grants than a table of 16-bit numbers holds.
#[derive(Debug)]
pub(crate) struct TooMany;

impl Bits {
    pub(crate) fn new(ir: &CheckedIr) -> Result<Bits, TooMany> {
        let mut bits = Bits::default();
        let set = &ir.policies;
        for scheme in used_schemes(ir) {
            let bit = bits.next()?;
            bits.schemes.push(SchemeBits {
                name: scheme.name.value.clone(),
                bit,
                scopes: Vec::new(),
                by_scope: HashMap::new(),
            });
            if can_have_roles(scheme) {
                for scope in set.roles.iter().flat_map(|r| &r.scopes) {
                    bits.scope_of(scheme, &scope.value)?;
                }
            }
            if can_have_levels(scheme) {
                for scope in set.levels.iter().flat_map(|l| &l.scopes) {
                    bits.scope_of(scheme, &scope.value)?;
                }
            }
        }
        for operation in &ir.api.operations {
            let Access::Guarded(alternatives) = &set.get(operation.policy).access.value else { continue };
            for need in alternatives.iter().flat_map(|a| &a.needs) {
                for scope in &need.scopes {
                    bits.scope(&need.scheme.value, &scope.value)?;
                }
            }
        }
        // A scope that only a property asks for counts with every scheme that may carry it.
        for name in guarding(ir) {
            for scheme in used_schemes(ir) {
                if !matches!(scheme.verify, Verify::ApiKey(_)) && set.roles.iter().all(|r| r.name.value != name) {
                    bits.scope_of(scheme, name)?;
                }
            }
        }
        for role in &set.roles {
            let bit = bits.next()?;
            bits.roles.insert(role.name.value.clone(), bit);
        }
        for level in &set.levels {
            let bit = bits.next()?;
            bits.levels.insert(level.name.value.clone(), bit);
        }
        Ok(bits)
    }

    fn next(&mut self) -> Result<u16, TooMany> {
        let bit = self.count;
        self.count = self.count.checked_add(1).ok_or(TooMany)?;
        Ok(bit)
    }

    /// A scope that a role or level brings, where the scheme has it.
    fn scope_of(&mut self, scheme: &Scheme, scope: &str) -> Result<(), TooMany> {
        if scheme.scopes_declared && !scheme.scopes.iter().any(|(s, _)| s.value == scope) {
            return Ok(());
        }
        self.scope(&scheme.name.value, scope)
    }

    fn scope(&mut self, scheme: &str, scope: &str) -> Result<(), TooMany> {
        if self.bit_of_scope(scheme, scope).is_some() {
            return Ok(());
        }
        let bit = self.next()?;
        if let Some(scheme) = self.schemes.iter_mut().find(|s| s.name == scheme) {
            scheme.scopes.push((scope.to_owned(), bit));
            scheme.by_scope.insert(scope.to_owned(), bit);
        }
        Ok(())
    }

    pub(crate) fn scheme(&self, name: &str) -> Option<(u16, &SchemeBits)> {
        let (index, scheme) = self.schemes.iter().enumerate().find(|(_, s)| s.name == name)?;
        Some((index as u16, scheme))
    }

    pub(crate) fn bit_of_scope(&self, scheme: &str, scope: &str) -> Option<u16> {
        self.scheme(scheme)?.1.by_scope.get(scope).copied()
    }

    /// The bits of a name that guards a property: of the role, or of the scope with each scheme that has it.
    pub(crate) fn of_name(&self, name: &str) -> Vec<u16> {
        match self.roles.get(name) {
            Some(role) => vec![*role],
            None => self.schemes.iter().filter_map(|scheme| scheme.by_scope.get(name).copied()).collect(),
        }
    }

    /// What a role brings, by the index of the scheme that carries it.
    pub(crate) fn grants_of_role(&self, set: &PolicySet, role: &str) -> Vec<(u16, Vec<u64>)> {
        let closure = set.role_closure(role);
        self.carriers(set, can_have_roles, |scheme| {
            let roles = closure.iter().filter_map(|r| self.roles.get(&r.name.value).copied());
            let scopes = closure.iter().flat_map(|r| &r.scopes).filter_map(|s| self.bit_of_scope(scheme, &s.value));
            roles.chain(scopes).collect()
        })
    }

    /// What a level brings, by the index of the scheme that carries it: it is also every level below.
    pub(crate) fn grants_of_level(&self, set: &PolicySet, index: usize) -> Vec<(u16, Vec<u64>)> {
        self.carriers(set, can_have_levels, |scheme| {
            let reached = set.levels.iter().take(index + 1).filter_map(|l| self.levels.get(&l.name.value).copied());
            let own = set.levels.get(index).into_iter().flat_map(|l| &l.scopes);
            reached.chain(own.filter_map(|s| self.bit_of_scope(scheme, &s.value))).collect()
        })
    }

    fn carriers(
        &self,
        set: &PolicySet,
        can: fn(&Scheme) -> bool,
        bits: impl Fn(&str) -> Vec<u16>,
    ) -> Vec<(u16, Vec<u64>)> {
        let carriers = self.schemes.iter().enumerate().filter(|(_, s)| set.scheme(&s.name).is_some_and(can));
        carriers.map(|(index, scheme)| (index as u16, self.words(&bits(&scheme.name)))).collect()
    }

    /// Bits as words, without zeros at the end.
    pub(crate) fn words(&self, bits: &[u16]) -> Vec<u64> {
        let mut words = vec![0_u64; usize::from(self.count).div_ceil(64)];
        for bit in bits {
            if let Some(word) = words.get_mut(usize::from(*bit) / 64) {
                *word |= 1 << (bit % 64);
            }
        }
        while words.last() == Some(&0) {
            words.pop();
        }
        words
    }
}

/// The names of scopes and roles that guard properties and parameters.
fn guarding(ir: &CheckedIr) -> impl Iterator<Item = &str> {
    let protections = ir.api.schemas.iter().filter_map(|(_, schema)| schema.notes.protection.as_ref());
    let parameters = ir.api.operations.iter().flat_map(|operation| &operation.parameters);
    let protections = protections.chain(parameters.filter_map(|parameter| parameter.protection.as_ref()));
    protections.flat_map(|p| p.read.iter().chain(&p.write)).map(|name| name.value.as_str())
}

/// Whether a credential of this scheme can carry roles.
fn can_have_roles(scheme: &Scheme) -> bool {
    match &scheme.verify {
        Verify::Application => true,
        verify => verify.roles_claim().is_some(),
    }
}

/// Whether a credential of this scheme has a level.
fn can_have_levels(scheme: &Scheme) -> bool {
    matches!(scheme.verify, Verify::ApiKey(_) | Verify::Application)
}
