"""Randomised scenes in rain, snow, fog, darkness and glare, behind objects (Rudenko, section 5)."""

from dataclasses import dataclass

import numpy as np
from cadsight_core.config.parameters import parameter
from cadsight_core.imaging.images import Rgb
from cadsight_core.sample import Sample

from cadsight_synthesis.image_ops.weather import WeatherParameters, apply_weather
from cadsight_synthesis.recipes.randomised import RandomisedRecipe


@dataclass(frozen=True)
class WeatherRecipe(RandomisedRecipe):
    """A randomised recipe with weather over its images."""

    weather: WeatherParameters = parameter(WeatherParameters(), "weather laid over the images")

    def finished(self, sample: Sample, image: Rgb, image_number: int) -> tuple[Sample, Rgb]:
        """Image ``image_number`` (H, W, 3) in weather of its own; labels lose what objects in front hide."""
        seed = int(np.random.SeedSequence([self.seed, image_number, 0x3EA]).generate_state(1)[0])
        return apply_weather(sample, image, self.weather, seed)
