//! Selling: discovery, orders, reports.

use adcp_core::AdcpError;
use adcp_decisioning::{Account, CreativeFormats, Ctx, Discovery, Interactive, Sales};
use adcp_types::ErrorCode;
use adcp_types::media_buy::{
    CreateMediaBuyInputRequired, CreateMediaBuyRequest, CreateMediaBuySuccess, GetMediaBuyDeliveryRequest,
    GetMediaBuyDeliveryResponse, GetMediaBuysRequest, GetMediaBuysResponse, GetProductsRequest,
    GetProductsResponse, ListCreativeFormatsRequest, ListCreativeFormatsResponse,
    ProvidePerformanceFeedbackRequest, ProvidePerformanceFeedbackSuccess, UpdateMediaBuyInputRequired,
    UpdateMediaBuyRequest, UpdateMediaBuySuccess,
};
use rust_decimal::Decimal;

use crate::ad_server::{Buyer, Change, Feedback, NewLine, NewOrder, Reason};
use crate::map::amount::{decimal, instant};
use crate::map::error::{no_account, refused};
use crate::map::{booking, delivery, discovery, format, order};
use crate::seller::ReferenceSeller;

impl CreativeFormats for ReferenceSeller {
    async fn list_creative_formats(
        &self,
        _ctx: &Ctx,
        req: ListCreativeFormatsRequest,
    ) -> Result<ListCreativeFormatsResponse, AdcpError> {
        format::list(self.ads().catalog(), self.shelf(), &req)
    }
}

impl Sales for ReferenceSeller {
    async fn get_products(
        &self,
        ctx: &Ctx,
        req: GetProductsRequest,
    ) -> Result<Discovery<GetProductsResponse>, AdcpError> {
        let mut response =
            discovery::answer(self.ads().catalog(), self.shelf(), &req, self.config().sandbox)?;
        response.sandbox = is_sandbox(ctx).then_some(true);
        Ok(response.into())
    }

    async fn create_media_buy(
        &self,
        ctx: &Ctx,
        req: CreateMediaBuyRequest,
    ) -> Result<Interactive<CreateMediaBuySuccess, CreateMediaBuyInputRequired>, AdcpError> {
        let (buyer, account) = (Self::buyer(ctx)?, ctx.account()?.clone());
        let order = booking::request(&req, self)?;
        if !self.needs_review(&order) {
            return self.book(&buyer, &account, &order, ctx).map(Into::into);
        }
        // A reviewer only sees what can be booked.
        let checked = self.ads().check(&buyer, account.id.as_str(), &order, instant(ctx.now()));
        checked.map_err(|refusal| refused(&refusal, "packages"))?;
        let (seller, later) = (self.clone(), ctx.clone());
        Ok(ctx
            .handoff_to_task(move |_task| async move {
                tokio::time::sleep(seller.config().review_delay).await;
                // Booked when approved, on the terms of that moment.
                seller.book(&buyer, &account, &order, &later)
            })
            .into())
    }

    async fn update_media_buy(
        &self,
        ctx: &Ctx,
        req: UpdateMediaBuyRequest,
    ) -> Result<Interactive<UpdateMediaBuySuccess, UpdateMediaBuyInputRequired>, AdcpError> {
        let (buyer, account) = (Self::buyer(ctx)?, ctx.account()?);
        let change = booking::change(&req, self)?;
        if !self.raise_needs_review(&buyer, account, &req.media_buy_id, &change, ctx) {
            return self.change(&buyer, account, &req.media_buy_id, &change, ctx).map(Into::into);
        }
        let (seller, later, account) = (self.clone(), ctx.clone(), account.clone());
        Ok(ctx
            .handoff_to_task(move |_task| async move {
                tokio::time::sleep(seller.config().review_delay).await;
                seller.change(&buyer, &account, &req.media_buy_id, &change, &later)
            })
            .into())
    }

    async fn get_media_buys(
        &self,
        ctx: &Ctx,
        req: GetMediaBuysRequest,
    ) -> Result<GetMediaBuysResponse, AdcpError> {
        order::list(self, &Self::buyer(ctx)?, ctx.account().ok(), &req, instant(ctx.now()))
    }

    async fn get_media_buy_delivery(
        &self,
        ctx: &Ctx,
        req: GetMediaBuyDeliveryRequest,
    ) -> Result<GetMediaBuyDeliveryResponse, AdcpError> {
        delivery::report(self, &Self::buyer(ctx)?, ctx.account().ok(), &req, instant(ctx.now()))
    }

    async fn provide_performance_feedback(
        &self,
        ctx: &Ctx,
        req: ProvidePerformanceFeedbackRequest,
    ) -> Result<ProvidePerformanceFeedbackSuccess, AdcpError> {
        let index = decimal(req.performance_index)
            .ok_or_else(|| AdcpError::invalid_request("performance_index", "this index is too large"))?;
        let feedback =
            Feedback { order: req.media_buy_id, line: req.package_id, creative: req.creative_id, index };
        let account = ctx.account().ok().map(|account| account.id.as_str());
        match self.ads().feed_back(&Self::buyer(ctx)?, account, &feedback, instant(ctx.now())) {
            Ok(()) => Ok(ProvidePerformanceFeedbackSuccess::new()),
            Err(reason @ Reason::UnknownCreative) => {
                Err(AdcpError::new(ErrorCode::CREATIVE_NOT_FOUND, reason.to_string())
                    .with_field("creative_id"))
            }
            Err(reason) => Err(refused(&reason.into(), "packages")),
        }
    }
}

impl ReferenceSeller {
    /// Whether somebody must look at an order first: promised volume for much money.
    fn needs_review(&self, order: &NewOrder) -> bool {
        let Some(threshold) = self.config().review_threshold else { return false };
        let promised =
            |line: &NewLine| self.ads().catalog().product(&line.product).is_some_and(|one| one.guaranteed);
        // Too much to add up is refused when it is booked.
        let total = order.lines.iter().try_fold(Decimal::ZERO, |sum, line| sum.checked_add(line.budget));
        order.lines.iter().any(promised) && total.is_some_and(|total| total >= Decimal::from(threshold))
    }

    /// Whether a change makes a media buy one that would have been reviewed, had it been booked like that.
    fn raise_needs_review(
        &self,
        buyer: &Buyer,
        account: &Account,
        id: &str,
        change: &Change,
        ctx: &Ctx,
    ) -> bool {
        let Some(threshold) = self.config().review_threshold else { return false };
        let now = instant(ctx.now());
        let found = self.ads().orders(buyer, Some(account.id.as_str()), now, |order, _| order.id == id);
        let Some((order, _)) = found.first() else { return false };
        let asked = |line: &str| change.lines.iter().find(|one| one.id == line).and_then(|one| one.budget);
        let (before, after) =
            order.live_lines().fold((Decimal::ZERO, Decimal::ZERO), |(before, after), line| {
                let budget = asked(&line.id).unwrap_or(line.budget);
                (before.saturating_add(line.budget), after.saturating_add(budget))
            });
        let promised =
            |product: &str| self.ads().catalog().product(product).is_some_and(|one| one.guaranteed);
        after > before
            && after >= Decimal::from(threshold)
            && order.live_lines().any(|line| promised(&line.product))
    }

    fn change(
        &self,
        buyer: &Buyer,
        account: &Account,
        id: &str,
        change: &Change,
        ctx: &Ctx,
    ) -> Result<UpdateMediaBuySuccess, AdcpError> {
        let changed = self.ads().change(buyer, account.id.as_str(), id, change, instant(ctx.now()));
        let changed = changed.map_err(|refusal| refused(&refusal, "packages"))?;
        Ok(order::updated(&changed, self.shelf(), account.sandbox))
    }

    fn book(
        &self,
        buyer: &Buyer,
        account: &Account,
        order: &NewOrder,
        ctx: &Ctx,
    ) -> Result<CreateMediaBuySuccess, AdcpError> {
        let account = self.ads().account(buyer, account.id.as_str()).ok_or_else(no_account)?;
        let booked = self.ads().book(buyer, &account.id, order, instant(ctx.now()));
        let (order, status) = booked.map_err(|refusal| refused(&refusal, "packages"))?;
        Ok(order::booked(&order, status, self.shelf(), &account))
    }
}

fn is_sandbox(ctx: &Ctx) -> bool {
    ctx.account().is_ok_and(|account| account.sandbox)
}
