//! Delivery, simulated: what a line has served and earned by a given moment.
//!
//! Deterministic. A line's life is a list of [`Stretch`]es during which its terms do not change; within one, the money
//! spent follows the pacing curve, and counts follow from money and price. Charges are rounded down, so the spend of a
//! line never passes its budget, and totals are sums of what lines report.

use jiff::Timestamp;
use rust_decimal::{Decimal, RoundingStrategy, prelude::ToPrimitive};
use serde::Deserialize;

use super::{Currency, Flight, Price, PriceModel, Product, round_down};

/// How a line spreads its budget over its flight.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Pacing {
    #[default]
    Even,
    /// Everything in the first half.
    Asap,
    /// Most of it early.
    FrontLoaded,
}

impl Pacing {
    /// The part of the budget planned to be spent when `elapsed` of the time has gone.
    fn planned(self, elapsed: Decimal) -> Decimal {
        match self {
            Self::Even => elapsed,
            Self::Asap => (elapsed * Decimal::TWO).min(Decimal::ONE),
            Self::FrontLoaded => {
                let left = Decimal::ONE - elapsed;
                Decimal::ONE - left * left
            }
        }
    }
}

/// What has been served and what it cost.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Tally {
    pub(crate) impressions: u64,
    pub(crate) clicks: u64,
    /// Plays to the end; zero for what does not play.
    pub(crate) completed_views: u64,
    pub(crate) spend: Decimal,
}

impl Tally {
    pub(crate) fn plus(self, other: Self) -> Self {
        Self {
            impressions: self.impressions.saturating_add(other.impressions),
            clicks: self.clicks.saturating_add(other.clicks),
            completed_views: self.completed_views.saturating_add(other.completed_views),
            spend: self.spend.saturating_add(other.spend),
        }
    }

    /// What came after `earlier`, which is a tally of the same line.
    pub(crate) fn since(self, earlier: Self) -> Self {
        Self {
            impressions: self.impressions.saturating_sub(earlier.impressions),
            clicks: self.clicks.saturating_sub(earlier.clicks),
            completed_views: self.completed_views.saturating_sub(earlier.completed_views),
            spend: (self.spend - earlier.spend).max(Decimal::ZERO),
        }
    }

    fn at_most(self, limit: Self) -> Self {
        Self {
            impressions: self.impressions.min(limit.impressions),
            clicks: self.clicks.min(limit.clicks),
            completed_views: self.completed_views.min(limit.completed_views),
            spend: self.spend.min(limit.spend),
        }
    }
}

/// What one event of a line costs and how often it happens.
#[derive(Clone, Debug)]
pub(crate) struct Rates {
    model: PriceModel,
    currency: Currency,
    rate: Decimal,
    win_rate: Decimal,
    click_rate: Decimal,
    completion_rate: Decimal,
    daily_impressions: Decimal,
}

impl Rates {
    pub(crate) fn new(product: &Product, price: &Price, bid: Option<Decimal>) -> Self {
        Self {
            model: price.model,
            currency: price.currency,
            rate: price.rate(bid),
            win_rate: if product.guaranteed { Decimal::ONE } else { price.win_rate(bid) },
            click_rate: product.click_rate,
            completion_rate: product.completion_rate.unwrap_or_default(),
            daily_impressions: Decimal::from(product.daily_impressions),
        }
    }

    /// What `money` buys in a flight of which `elapsed` is over.
    fn serve(&self, money: Decimal, flight: Flight, elapsed: Decimal) -> Tally {
        let money = money * self.win_rate;
        let (impressions, clicks, completed, charged) = match self.model {
            PriceModel::Cpm => {
                let impressions = units(money * Decimal::ONE_THOUSAND, self.rate);
                let charged = impressions * self.rate / Decimal::ONE_THOUSAND;
                (impressions, impressions * self.click_rate, impressions * self.completion_rate, charged)
            }
            PriceModel::Cpc => {
                let clicks = units(money, self.rate);
                let impressions = units(clicks, self.click_rate);
                (impressions, clicks, impressions * self.completion_rate, clicks * self.rate)
            }
            PriceModel::Cpcv => {
                let completed = units(money, self.rate);
                let impressions = units(completed, self.completion_rate);
                (impressions, impressions * self.click_rate, completed, completed * self.rate)
            }
            PriceModel::FlatRate => {
                let impressions = self.daily_impressions * flight.days() * elapsed;
                (impressions, impressions * self.click_rate, impressions * self.completion_rate, money)
            }
        };
        Tally {
            impressions: whole(impressions),
            clicks: whole(clicks),
            completed_views: whole(completed),
            spend: round_down(charged, self.currency),
        }
    }
}

/// How many events of price `rate` a sum buys; a free event is bought never.
fn units(sum: Decimal, rate: Decimal) -> Decimal {
    if rate <= Decimal::ZERO { Decimal::ZERO } else { sum.checked_div(rate).unwrap_or_default().trunc() }
}

fn whole(count: Decimal) -> u64 {
    count.round_dp_with_strategy(0, RoundingStrategy::ToZero).to_u64().unwrap_or_default()
}

/// A time during which nothing about a line changed.
#[derive(Clone, Debug)]
pub(crate) struct Stretch {
    pub(crate) from: Timestamp,
    /// Whether ads ran.
    pub(crate) running: bool,
    pub(crate) budget: Decimal,
    pub(crate) flight: Flight,
    pub(crate) pacing: Pacing,
    pub(crate) rates: Rates,
    /// Most impressions the line may serve in all.
    pub(crate) goal: Option<u64>,
    /// What had been served when it began.
    pub(crate) before: Tally,
}

impl Stretch {
    fn by(&self, now: Timestamp) -> Tally {
        let start = self.from.max(self.flight.start);
        let Some(rest) = Flight::new(start, self.flight.end).filter(|_| self.running && now > start) else {
            return self.before;
        };
        let elapsed = rest.elapsed(now);
        let left = (self.budget - self.before.spend).max(Decimal::ZERO);
        let served = self.before.plus(self.rates.serve(left * self.pacing.planned(elapsed), rest, elapsed));
        match self.goal {
            Some(goal) if served.impressions > goal => self.scaled(served, goal),
            _ => served,
        }
    }

    /// `served`, cut back to an impression goal with everything else in proportion.
    fn scaled(&self, served: Tally, goal: u64) -> Tally {
        let share = Decimal::from(goal) / Decimal::from(served.impressions);
        let part = |count: u64| whole(Decimal::from(count) * share);
        let cut = Tally {
            impressions: goal,
            clicks: part(served.clicks),
            completed_views: part(served.completed_views),
            spend: round_down(served.spend * share, self.rates.currency),
        };
        // What was served before the goal was lowered stays served.
        Tally {
            impressions: cut.impressions.max(self.before.impressions),
            clicks: cut.clicks.max(self.before.clicks),
            completed_views: cut.completed_views.max(self.before.completed_views),
            spend: cut.spend.max(self.before.spend),
        }
    }
}

/// A line's stretches, oldest first; never empty once the line exists.
#[derive(Clone, Debug, Default)]
pub(crate) struct Ledger(Vec<Stretch>);

impl Ledger {
    /// Stretches kept; beyond that the second oldest is folded into the oldest.
    const KEPT: usize = 256;

    /// Everything served up to `now`.
    pub(crate) fn by(&self, now: Timestamp) -> Tally {
        let current = self.0.partition_point(|stretch| stretch.from <= now);
        let Some(stretch) = current.checked_sub(1).map(|index| &self.0[index]) else {
            return Tally::default();
        };
        match self.0.get(current) {
            Some(next) => stretch.by(now).at_most(next.before),
            None => stretch.by(now),
        }
    }

    /// Begins a stretch under new terms; what was served until then stays served.
    pub(crate) fn turn(&mut self, stretch: impl FnOnce(Tally) -> Stretch, now: Timestamp) {
        let before = self.by(now);
        let next = stretch(before);
        // Two changes in one instant are one change; a clock that went back must not reorder the list.
        while self.0.last().is_some_and(|last| last.from >= next.from) {
            self.0.pop();
        }
        self.0.push(next);
        if self.0.len() > Self::KEPT {
            self.0.remove(1);
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::seed;

    const DAY: i64 = 86_400;

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(1_800_000_000 + second).unwrap()
    }

    fn rates(product: &str, price: &str, bid: Option<Decimal>) -> Rates {
        let catalog = seed::catalog().unwrap();
        let product = catalog.product(product).unwrap();
        Rates::new(product, product.price(price).unwrap(), bid)
    }

    fn stretch(
        rates: Rates,
        budget: Decimal,
        from: i64,
        running: bool,
        pacing: Pacing,
    ) -> impl Fn(Tally) -> Stretch {
        let flight = Flight::new(at(0), at(10 * DAY)).unwrap();
        move |before| Stretch {
            from: at(from),
            running,
            budget,
            flight,
            pacing,
            rates: rates.clone(),
            goal: None,
            before,
        }
    }

    #[test]
    fn half_the_flight_is_half_the_money() {
        let mut ledger = Ledger::default();
        let rates = rates("harbor_news_display", "cpm_usd_fixed", None);
        ledger.turn(stretch(rates, Decimal::from(600), 0, true, Pacing::Even), at(0));
        // 600 USD at 6 USD a thousand: 100,000 impressions in ten days.
        let half = ledger.by(at(5 * DAY));
        assert_eq!((half.impressions, half.spend), (50_000, Decimal::from(300)));
        let whole = ledger.by(at(20 * DAY));
        assert_eq!((whole.impressions, whole.spend), (100_000, Decimal::from(600)));
        assert_eq!(ledger.by(at(-5)), Tally::default());
    }

    #[test]
    fn a_pause_stops_the_count_and_keeps_it() {
        let mut ledger = Ledger::default();
        let rates = rates("harbor_news_display", "cpm_usd_fixed", None);
        ledger.turn(stretch(rates.clone(), Decimal::from(600), 0, true, Pacing::Even), at(0));
        ledger.turn(stretch(rates.clone(), Decimal::from(600), 2 * DAY, false, Pacing::Even), at(2 * DAY));
        let paused = ledger.by(at(7 * DAY));
        assert_eq!(paused, ledger.by(at(2 * DAY)));
        ledger.turn(stretch(rates, Decimal::from(600), 8 * DAY, true, Pacing::Even), at(8 * DAY));
        assert_eq!(ledger.by(at(10 * DAY)).spend, Decimal::from(600));
        assert_eq!(ledger.by(at(DAY)).impressions, 10_000, "the past does not change");
    }

    #[test]
    fn clicks_are_what_a_click_price_charges() {
        let mut ledger = Ledger::default();
        let rates = rates("harbor_native_feed", "cpc_usd_fixed", None);
        ledger.turn(stretch(rates, Decimal::from(100), 0, true, Pacing::Even), at(0));
        let end = ledger.by(at(10 * DAY));
        assert_eq!(end.clicks, 117, "100 USD at 0.85 USD a click");
        assert_eq!(end.spend, "99.45".parse().unwrap());
    }

    proptest! {
        #[test]
        fn spend_only_grows_and_never_passes_the_budget(
            cents in 1_u64..500_000_000,
            bid in 1_u64..10_000,
            moments in proptest::collection::vec(-DAY..12 * DAY, 1..20),
            changes in proptest::collection::vec((0..10 * DAY, any::<bool>(), 0_u8..3), 0..6),
        ) {
            let budget = Decimal::new(i64::try_from(cents).unwrap(), 2);
            let bid = Decimal::new(i64::try_from(bid).unwrap(), 2);
            let mut ledger = Ledger::default();
            let rates = rates("harbor_open_display", "cpm_usd_auction", Some(bid));
            ledger.turn(stretch(rates.clone(), budget, 0, true, Pacing::Even), at(0));
            let mut changes = changes;
            changes.sort_by_key(|change| change.0);
            for (second, running, pacing) in changes {
                let pacing = [Pacing::Even, Pacing::Asap, Pacing::FrontLoaded][usize::from(pacing)];
                ledger.turn(stretch(rates.clone(), budget, second, running, pacing), at(second));
            }
            let mut moments = moments;
            moments.sort_unstable();
            let mut last = Tally::default();
            for moment in moments {
                let tally = ledger.by(at(moment));
                prop_assert!(tally.spend <= budget);
                prop_assert!(tally.spend >= last.spend && tally.impressions >= last.impressions);
                prop_assert_eq!(tally, last.plus(tally.since(last)));
                last = tally;
            }
        }
    }
}
