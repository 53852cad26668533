//! The bank's books, in memory. Nothing here knows of HTTP.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// An account as the books have it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// Its number.
    pub id: String,
    /// The subject whose account it is.
    pub owner: String,
    /// The tenant that it is kept for.
    pub tenant: String,
    /// `CHF`, `EUR` or `USD`.
    pub currency: &'static str,
    /// In the smallest unit of the currency.
    pub balance: i64,
    /// What may leave it at once.
    pub limit: i64,
    /// What its owner calls it.
    pub nickname: Option<String>,
}

/// A movement between two accounts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Movement {
    /// Its number, counted from 1.
    pub number: u64,
    /// The account it left.
    pub from: String,
    /// The account it reached.
    pub to: String,
    /// In the smallest unit of the currency.
    pub amount: i64,
    /// `CHF`, `EUR` or `USD`.
    pub currency: &'static str,
    /// What the receiver sees.
    pub reference: Option<String>,
}

/// Why money does not move.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refused {
    /// The account holds only this much.
    Insufficient {
        /// In the smallest unit of the currency.
        available: i64,
    },
    /// There is no such account to receive it, or it is kept in another currency.
    NoReceiver,
}

/// The books. Clones share them.
#[derive(Clone, Debug, Default)]
pub struct Ledger(Arc<Mutex<Books>>);

#[derive(Debug, Default)]
struct Books {
    accounts: BTreeMap<String, Entry>,
    movements: Vec<Movement>,
}

impl Ledger {
    /// Books with a few accounts: two of Alice's, one of Bob's.
    pub fn with_examples() -> Ledger {
        let ledger = Ledger::default();
        for (id, owner, currency, balance) in [
            ("acc_alice1", "alice", "EUR", 9_000_000_000),
            ("acc_alice2", "alice", "CHF", 2_000),
            ("acc_bob001", "bob", "EUR", 75_000),
        ] {
            let entry = Entry {
                id: id.to_owned(),
                owner: owner.to_owned(),
                tenant: "acme".to_owned(),
                currency,
                balance,
                limit: 100_000_000,
                nickname: None,
            };
            ledger.books().accounts.insert(id.to_owned(), entry);
        }
        ledger
    }

    // A panic while the lock was held cannot leave the books half written: every change below is made whole after
    // its checks.
    fn books(&self) -> MutexGuard<'_, Books> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// One account.
    pub fn account(&self, id: &str) -> Option<Entry> {
        self.books().accounts.get(id).cloned()
    }

    /// All accounts.
    pub fn accounts(&self) -> Vec<Entry> {
        self.books().accounts.values().cloned().collect()
    }

    /// All accounts of one tenant.
    pub fn accounts_in(&self, tenant: &str) -> Vec<Entry> {
        self.books().accounts.values().filter(|entry| entry.tenant == tenant).cloned().collect()
    }

    /// The newest movements from an account, newest first.
    pub fn movements_from(&self, account: &str, most: usize) -> Vec<Movement> {
        self.books().movements.iter().rev().filter(|m| m.from == account).take(most).cloned().collect()
    }

    /// Takes an account out of the books, if it is empty.
    pub fn close(&self, account: &str) -> bool {
        let mut books = self.books();
        let empty = books.accounts.get(account).is_some_and(|entry| entry.balance == 0);
        empty && books.accounts.remove(account).is_some()
    }

    /// Says how much may leave an account at once.
    pub fn set_limit(&self, account: &str, limit: i64) {
        if let Some(entry) = self.books().accounts.get_mut(account) {
            entry.limit = limit;
        }
    }

    /// Moves money.
    ///
    /// # Errors
    /// The account holds too little, or nobody can receive it.
    pub fn transfer(&self, from: &str, to: &str, amount: i64, reference: Option<String>) -> Result<Movement, Refused> {
        let mut books = self.books();
        let Some(payer) = books.accounts.get(from) else { return Err(Refused::NoReceiver) };
        let (available, payer_limit, currency) = (payer.balance, payer.limit, payer.currency);
        let receiver = books.accounts.get(to).filter(|entry| entry.currency == currency && entry.id != from);
        let Some(received) = receiver.map(|entry| entry.balance) else { return Err(Refused::NoReceiver) };
        let (Some(left), Some(now)) = (available.checked_sub(amount), received.checked_add(amount)) else {
            return Err(Refused::NoReceiver);
        };
        let available = available.min(payer_limit);
        if left < 0 || amount > payer_limit {
            return Err(Refused::Insufficient { available });
        }
        if let Some(payer) = books.accounts.get_mut(from) {
            payer.balance = left;
        }
        if let Some(receiver) = books.accounts.get_mut(to) {
            receiver.balance = now;
        }
        let number = books.movements.len() as u64 + 1;
        let movement = Movement { number, from: from.to_owned(), to: to.to_owned(), amount, currency, reference };
        books.movements.push(movement.clone());
        Ok(movement)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_an_empty_account_is_closed() {
        let ledger = Ledger::with_examples();
        assert!(!ledger.close("acc_bob001"));
        assert!(ledger.transfer("acc_bob001", "acc_alice1", 75_000, None).is_ok());
        assert!(ledger.close("acc_bob001"));
        assert!(!ledger.close("acc_bob001"));
    }

    #[test]
    fn money_is_neither_made_nor_lost() {
        let ledger = Ledger::with_examples();
        let moved = ledger.transfer("acc_alice1", "acc_bob001", 50_000, None);
        assert_eq!(moved.map(|m| m.number), Ok(1));
        assert_eq!(ledger.account("acc_alice1").map(|a| a.balance), Some(8_999_950_000));
        assert_eq!(ledger.account("acc_bob001").map(|a| a.balance), Some(125_000));
        assert_eq!(
            ledger.transfer("acc_bob001", "acc_alice1", 125_001, None),
            Err(Refused::Insufficient { available: 125_000 })
        );
        ledger.set_limit("acc_bob001", 10);
        assert_eq!(ledger.transfer("acc_bob001", "acc_alice1", 11, None), Err(Refused::Insufficient { available: 10 }));
        assert_eq!(ledger.transfer("acc_alice1", "acc_alice2", 1, None), Err(Refused::NoReceiver));
        assert_eq!(ledger.transfer("acc_alice1", "acc_nobody", 1, None), Err(Refused::NoReceiver));
    }
}
