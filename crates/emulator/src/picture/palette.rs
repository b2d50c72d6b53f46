//! Colour palettes.

use super::canvas::Rgb;
use super::seed::RandomNumbers;

/// The colours of a scene.
#[derive(Debug, Clone)]
pub(crate) struct Palette {
    /// From the zenith to the horizon.
    pub(crate) sky: [Rgb; 3],
    /// Sun or moon.
    pub(crate) light: Rgb,
    /// The farthest and the nearest hill.
    pub(crate) hills: [Rgb; 2],
    pub(crate) stars: bool,
}

/// Zenith, middle, horizon, light, far hill, near hill.
const PALETTES: [[u32; 6]; 8] = [
    // dawn
    [0x3a_4f8f, 0xf0_8f92, 0xff_dfad, 0xff_f6d6, 0xc0_8399, 0x2b_2a4c],
    // noon
    [0x3a_8ad6, 0x8f_caf0, 0xea_f6fa, 0xff_fdf0, 0x93_bcc6, 0x2a_6a4c],
    // dusk
    [0x25_1d57, 0x99_4480, 0xff_a163, 0xff_e6b0, 0x86_4678, 0x1b_1536],
    // night
    [0x0a_1028, 0x1e_2f5e, 0x52_6fa8, 0xf6_f2df, 0x3a_5086, 0x0a_0f22],
    // mint
    [0x2a_7f80, 0x86_d6b4, 0xf5_f8d8, 0xff_fef2, 0x86_baa6, 0x15_4342],
    // desert
    [0x5c_9fad, 0xf2_d3a0, 0xff_ecca, 0xff_f9e6, 0xdc_a871, 0x7c_3f2c],
    // lavender
    [0x5b_4ea0, 0xb8_9fe2, 0xff_e6f0, 0xff_f8fc, 0xa2_8ac6, 0x33_2b60],
    // autumn
    [0x4a_82ac, 0xf6_c884, 0xff_e9c0, 0xff_f6d8, 0xcd_8254, 0x4b_2b20],
];
const NIGHT: usize = 3;

impl Palette {
    pub(crate) fn pick(random: &mut RandomNumbers) -> Self {
        let index = random.below(PALETTES.len());
        let [zenith, middle, horizon, light, far, near] =
            PALETTES.get(index).copied().unwrap_or_default().map(|hex| rgb(hex, 0.0));
        // Mixes in a random hue, so that scenes of one palette differ.
        let tint = [random.between(-14.0, 14.0), random.between(-10.0, 10.0), random.between(-14.0, 14.0)];
        let tinted = |colour: Rgb| {
            let mut colour = colour;
            for (channel, tint) in colour.iter_mut().zip(tint) {
                *channel = (*channel + tint).clamp(0.0, 255.0);
            }
            colour
        };
        Self {
            sky: [zenith, middle, horizon].map(tinted),
            light,
            hills: [far, near].map(tinted),
            stars: index == NIGHT,
        }
    }
}

/// Converts `0xrrggbb` to a colour, mixed with a share of white.
pub(crate) fn rgb(hex: u32, white: f32) -> Rgb {
    let [_, red, green, blue] = hex.to_be_bytes();
    super::canvas::mix([f32::from(red), f32::from(green), f32::from(blue)], [255.0; 3], white)
}
