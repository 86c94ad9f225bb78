"""Names that two modules or more use."""

from typing import Final

DOMAIN: Final = "virtual_sms"

CONF_ACCOUNT: Final = "account"
CONF_CALLBACK_URL: Final = "callback_url"
CONF_CREDENTIALS: Final = "credentials"
CONF_MODE: Final = "mode"
CONF_NUMBER: Final = "number"
CONF_PREVIOUS_CALLBACKS: Final = "previous_callbacks"
CONF_PREVIOUS_VOICE_URL: Final = "previous_voice_url"
CONF_PROVIDER: Final = "provider"
CONF_VOICE_URL: Final = "voice_url"

MODE_AUTOMATIC: Final = "automatic"
MODE_MANUAL: Final = "manual"
MODE_POLLING: Final = "polling"

CALLS_IGNORE: Final = "ignore"
CALLS_REJECT: Final = "reject"
CALLS_SPEAK: Final = "speak"

OPTION_BALANCE_THRESHOLD: Final = "balance_threshold"
OPTION_COMMAND_MAX_AGE: Final = "command_max_age"
OPTION_FALLBACK: Final = "fallback"
OPTION_KEEP_CONVERSATIONS: Final = "keep_conversations"
OPTION_GREETING: Final = "greeting"
OPTION_INCOMING_CALLS: Final = "incoming_calls"
OPTION_POLL_INTERVAL: Final = "poll_interval"
OPTION_PRIVACY: Final = "privacy"
OPTION_RETRY_FOR: Final = "retry_for"
OPTION_SIMPLIFY: Final = "simplify"

DEFAULT_RETRY_FOR: Final = 30
"""Minutes that sending is tried for."""
DEFAULT_COMMAND_MAX_AGE: Final = 300
"""Seconds after which a command is not believed any more."""
DEFAULT_KEEP_CONVERSATIONS: Final = 30
"""Days that conversations are kept for."""

SECTION_LIMITS: Final = "limits"
