use gatewright::Authorized;

struct Account;

fn main() {
    let _ = Authorized(Account);
    let _ = Authorized::<Account>::assertion(Account);
}
