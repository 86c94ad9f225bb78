"""List Twilio's error codes: HTTP status and message of each."""

from typing import Final

from ..base import ApiError, Reply

MORE_INFO: Final = "https://www.twilio.com/docs/errors/{code}"

# code: (HTTP status, message); {value} is what was sent.
API_ERRORS: Final[dict[int, tuple[int, str]]] = {
    10004: (429, "Call concurrency limit exceeded"),
    20001: (400, "Invalid parameter: {value}"),
    20003: (401, "Authenticate"),
    20004: (405, "Method not allowed"),
    20005: (403, "Account not active"),
    20009: (409, "Resource not complete"),
    20404: (404, "The requested resource {value} was not found"),
    20429: (429, "Too Many Requests"),
    20500: (500, "An internal server error has occurred"),
    20503: (503, "Service unavailable"),
    21201: (400, "No 'To' number is specified"),
    21205: (400, "Url parameter is required."),
    21210: (
        400,
        "The source phone number provided, {value}, is not yet verified for your account.",
    ),
    21211: (400, "Invalid 'To' Phone Number: {value}"),
    21212: (400, "Invalid From Number (caller ID): {value}"),
    21213: (400, "A 'From' phone number is required."),
    21214: (400, "'To' phone number cannot be reached: {value}"),
    21215: (
        400,
        "Account not authorized to call {value}. Perhaps you need to enable some international permissions.",
    ),
    21216: (403, "Account not allowed to call {value}"),
    21217: (400, "Phone number does not appear to be valid: {value}"),
    21219: (
        400,
        "The number {value} is unverified. Trial accounts may only make calls to verified numbers.",
    ),
    21220: (400, "Call is not in-progress. Cannot redirect."),
    21266: (400, "'To' and 'From' number cannot be the same: {value}"),
    21402: (400, "Invalid Url: {value}"),
    21403: (400, "Method is not valid: {value}"),
    21408: (
        400,
        "Permission to send an SMS or MMS has not been enabled for the region indicated by the 'To' number: {value}",
    ),
    21602: (400, "Message body is required."),
    21603: (400, "A 'From' phone number is required."),
    21604: (400, "A 'To' phone number is required."),
    21606: (
        400,
        "The 'From' phone number {value} is not a valid, message-capable Twilio phone number for this destination.",
    ),
    21608: (
        400,
        "The number {value} is unverified. Trial accounts cannot send messages to unverified numbers.",
    ),
    21609: (400, "The 'StatusCallback' URL {value} is not a valid URL."),
    21610: (400, "Attempt to send to unsubscribed recipient"),
    21611: (
        429,
        "This 'From' number has exceeded the maximum number of queued messages",
    ),
    21612: (
        400,
        "Message cannot be sent with the current combination of 'To' ({value}) and/or 'From' parameters",
    ),
    21614: (400, "'To' number is not a valid mobile number: {value}"),
    21617: (400, "The concatenated message body exceeds the 1600 character limit"),
    21620: (400, "Invalid media URL(s): {value}"),
    21623: (400, "Number of media files exceeds allowed limit"),
    21703: (400, "The Messaging Service does not exist: {value}"),
    30400: (400, "Only one of Body and Status can be updated at a time"),
    30409: (409, "Message cannot be canceled in its current status"),
    32018: (400, "Twiml size exceeded maximum allowed value of 4000 characters"),
    35114: (400, "SendAt time must be between 300 seconds and 35 days ahead"),
    35117: (400, "ScheduleType and SendAt need a MessagingServiceSid"),
    70051: (403, "The API key lacks the permission for this request"),
}

# What ends a message that was accepted.
DELIVERY_ERRORS: Final[dict[int, str]] = {
    30001: "Queue overflow",
    30002: "Account suspended",
    30003: "Unreachable destination handset",
    30004: "Message blocked",
    30005: "Unknown destination handset",
    30006: "Landline or unreachable carrier",
    30007: "Message filtered",
    30008: "Unknown error",
    30022: "US A2P 10DLC - Rate limits exceeded",
    30032: "Toll-free number has not been verified",
    30034: "US A2P 10DLC - Message from an unregistered number",
    30036: "Validity period expired",
    30410: "Provider timeout error",
    30450: "Message delivery blocked",
}
# These end a message before any carrier has seen it.
FAILED_CODES: Final = frozenset({30001, 30002, 30036})


def error(code: int, value: object = "") -> ApiError:
    """Build the exception for a Twilio error code."""
    return ApiError(reply(code, value))


def reply(code: int, value: object = "") -> Reply:
    """Render a Twilio error code."""
    status, message = API_ERRORS[code]
    payload = {
        "code": code,
        "message": message.format(value=value),
        "more_info": MORE_INFO.format(code=code),
        "status": status,
    }
    return Reply(payload=payload, status=status)
