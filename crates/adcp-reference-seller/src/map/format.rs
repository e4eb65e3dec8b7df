//! Creative formats.

use adcp_core::AdcpError;
use adcp_types::core::format::{
    Dimensions, FormatAsset, IndividualAudioAsset, IndividualImageAsset, IndividualTextAsset,
    IndividualUrlAsset, IndividualVideoAsset, Render,
};
use adcp_types::core::requirements::{AudioAssetRequirements, VideoAssetRequirements};
use adcp_types::core::{Format, FormatId};
use adcp_types::media_buy::{ListCreativeFormatsRequest, ListCreativeFormatsResponse};

use crate::ad_server::{self, AssetSlot, Catalog};

use super::Shelf;
use super::page::{Direction, page};

/// A format as buyers see it.
pub(super) fn shown(format: &ad_server::Format, agent_url: &str) -> Format {
    let mut shown = Format::new(FormatId::new(agent_url, &format.id), &format.name)
        .with_description(&format.description)
        .with_assets(format.assets.iter().map(|slot| asset(slot, format.media.duration_ms)).collect());
    if let Some((width, height)) = format.media.size {
        let dimensions = Dimensions::new().with_width(f64::from(width)).with_height(f64::from(height));
        shown.renders = Some(vec![Render::new("primary").with_dimensions(dimensions)]);
    }
    shown
}

fn asset(slot: &AssetSlot, duration_ms: Option<u32>) -> FormatAsset {
    let (id, required) = (slot.id.as_str(), slot.required);
    match slot.kind.as_str() {
        "image" => FormatAsset::IndividualImage(IndividualImageAsset::new(id, required)),
        "video" => {
            let mut asset = IndividualVideoAsset::new(id, required);
            asset.requirements = duration_ms
                .map(|most| Box::new(VideoAssetRequirements::new().with_max_duration_ms(most.into())));
            FormatAsset::IndividualVideo(asset)
        }
        "audio" => {
            let mut asset = IndividualAudioAsset::new(id, required);
            asset.requirements =
                duration_ms.map(|most| AudioAssetRequirements::new().with_max_duration_ms(most.into()));
            FormatAsset::IndividualAudio(Box::new(asset))
        }
        "url" => FormatAsset::IndividualUrl(Box::new(IndividualUrlAsset::new(id, required))),
        _ => FormatAsset::IndividualText(Box::new(IndividualTextAsset::new(id, required))),
    }
}

/// Lists the formats that a request asks for.
pub(crate) fn list(
    catalog: &Catalog,
    shelf: &Shelf,
    req: &ListCreativeFormatsRequest,
) -> Result<ListCreativeFormatsResponse, AdcpError> {
    let rows: Vec<usize> = (0..shelf.formats.len())
        .filter(|index| wanted(&catalog.formats()[*index], catalog, shelf, req))
        .collect();
    let (rows, pagination) =
        page(rows, |index| (String::new(), *index as u64), Direction::Up, req.pagination.as_ref())?;
    let formats = rows.into_iter().map(|index| shelf.formats[index].clone()).collect();
    Ok(ListCreativeFormatsResponse::new(formats).with_pagination(pagination))
}

fn wanted(
    format: &ad_server::Format,
    catalog: &Catalog,
    shelf: &Shelf,
    req: &ListCreativeFormatsRequest,
) -> bool {
    let named = |ids: &Vec<FormatId>| ids.iter().any(|id| shelf.own_format(id) == Some(&format.id));
    let said = |text: &String| {
        let text = text.to_lowercase();
        format.name.to_lowercase().contains(&text) || format.id.contains(&text)
    };
    let typed = |types: &Vec<adcp_types::enums::AssetContentType>| {
        types.iter().any(|kind| format.assets.iter().any(|slot| slot.kind == kind.as_str()))
    };
    let carried = |domain: &String| {
        let products = catalog.products().iter().filter(|product| product.publisher == *domain);
        products.into_iter().any(|product| product.formats.contains(&format.id))
    };
    let (width, height) = format.media.size.unzip();
    let at_most = |limit: Option<i64>, size: Option<u32>| {
        limit.is_none_or(|limit| size.is_some_and(|size| i64::from(size) <= limit))
    };
    let at_least = |limit: Option<i64>, size: Option<u32>| {
        limit.is_none_or(|limit| size.is_some_and(|size| i64::from(size) >= limit))
    };
    req.format_ids.as_ref().is_none_or(named)
        && req.name_search.as_ref().is_none_or(said)
        && req.asset_types.as_ref().is_none_or(typed)
        && req.publisher_domain.as_ref().is_none_or(carried)
        && at_most(req.max_width, width)
        && at_most(req.max_height, height)
        && at_least(req.min_width, width)
        && at_least(req.min_height, height)
        // Sizes are fixed, and nothing is promised about accessibility, disclosures or conversions of formats.
        && req.is_responsive != Some(true)
        && req.wcag_level.is_none()
        && req.disclosure_positions.is_none()
        && req.disclosure_persistence.is_none()
        && req.input_format_ids.is_none()
        && req.output_format_ids.is_none()
}
