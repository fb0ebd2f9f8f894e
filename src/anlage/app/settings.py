"""The settings of an installation: environment first, then `anlage.toml` in its folder. Read here
and nowhere else.
"""

import os
from pathlib import Path
from typing import Any

from pydantic import Field
from pydantic_settings import (
    BaseSettings,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
    TomlConfigSettingsSource,
)


class Settings(BaseSettings):
    """What a site may set, each as `ANLAGE_NAME` in the environment or `name` in `anlage.toml`."""

    model_config = SettingsConfigDict(env_prefix="ANLAGE_", extra="ignore")

    data: Path = Field(default=Path("anlage-data"), description="the installation's folder")
    database_url: str | None = Field(
        default=None, description="PostgreSQL; SQLite files when unset"
    )
    host: str = Field(default="127.0.0.1", description="address to serve on")
    port: int = Field(default=8000, ge=0, le=65535, description="port to serve on")
    allowed_hosts: list[str] = Field(default_factory=list, description="host names of the server")
    time_zone: str = Field(default="UTC", description="zone in which pages show times")
    language: str = Field(default="en", description="language of the pages")
    checkpoint_copies: list[Path] = Field(
        default_factory=list,
        description="folders out of the database owner's reach",
    )
    checkpoint_facts: int = Field(default=1000, ge=1, description="facts between two checkpoints")
    signing_minutes: int = Field(
        default=10,
        ge=0,
        le=60,
        description="how long a full signature lets short ones follow",
    )
    idle_minutes: int = Field(
        default=60,
        ge=1,
        le=720,
        description="after how long without a request a session ends",
    )
    durable: bool = Field(
        default=True, description="a commit is on disk when it is answered; off only while seeding"
    )
    job_workers: int = Field(
        default=2, ge=0, le=16, description="processes that do jobs beside the pages; 0 for none"
    )
    demo: bool = Field(default=False, description="a demonstration: banner, demo logins allowed")

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Take the environment before the file of the folder named by ANLAGE_DATA."""
        del dotenv_settings, file_secret_settings
        folder = Path(init_settings().get("data") or os.environ.get("ANLAGE_DATA", "anlage-data"))
        toml = TomlConfigSettingsSource(settings_cls, folder / "anlage.toml")
        return init_settings, env_settings, toml


def settings(data: Path | None = None, **overrides: Any) -> Settings:
    """Give the settings of an installation's folder (ANLAGE_DATA when None)."""
    if data is not None:
        overrides["data"] = data
    if "database_url" not in overrides and os.environ.get("DATABASE_URL"):
        overrides["database_url"] = os.environ["DATABASE_URL"]
    return Settings(**overrides)
