"""Render Twilio's resources with every field of their schema."""

from email.utils import format_datetime
from typing import TYPE_CHECKING

from .errors import DELIVERY_ERRORS

if TYPE_CHECKING:
    from ..base import Json
    from .models import Call, Number, TwilioMessage


def _base(account: str) -> str:
    return f"/2010-04-01/Accounts/{account}"


def message(account: str, currency: str, message: TwilioMessage) -> Json:
    """Describe a message."""
    uri = f"{_base(account)}/Messages/{message.id}"
    code = message.error_code
    sent = message.sent
    return {
        "account_sid": account,
        "api_version": "2010-04-01",
        "body": message.text,
        "date_created": format_datetime(message.created),
        "date_sent": None if sent is None else format_datetime(sent),
        "date_updated": format_datetime(message.updated),
        "direction": "inbound" if message.inbound else "outbound-api",
        "error_code": code,
        "error_message": None if code is None else DELIVERY_ERRORS.get(code),
        "from": message.sender or None,
        "messaging_service_sid": message.service_sid,
        "num_media": str(len(message.media)),
        "num_segments": str(message.segments),
        "price": None if message.price is None else str(message.price),
        "price_unit": currency,
        "sid": message.id,
        "status": message.status,
        "subresource_uris": {"media": f"{uri}/Media.json"},
        "to": message.to,
        "uri": f"{uri}.json",
    }


def call(account: str, call: Call) -> Json:
    """Describe a call."""
    uri = f"{_base(account)}/Calls/{call.id}"
    began = call.answered or call.ended
    parts = ("Notifications", "Recordings", "Payments", "Events", "Siprec", "Streams")
    return {
        "account_sid": account,
        "annotation": None,
        "answered_by": None,
        "api_version": "2010-04-01",
        "caller_name": None,
        "date_created": format_datetime(call.created),
        "date_updated": format_datetime(call.ended or call.created),
        "direction": "inbound" if call.inbound else "outbound-api",
        "duration": None if call.ended is None else str(call.duration),
        "end_time": None if call.ended is None else format_datetime(call.ended),
        "forwarded_from": None,
        "from": call.sender,
        "from_formatted": call.sender,
        "group_sid": None,
        "parent_call_sid": None,
        "phone_number_sid": None,
        "price": None,
        "price_unit": "USD",
        "queue_time": "0",
        "sid": call.id,
        "start_time": None if began is None else format_datetime(began),
        "status": call.status,
        "subresource_uris": {each.lower(): f"{uri}/{each}.json" for each in parts},
        "to": call.to,
        "to_formatted": call.to,
        "trunk_sid": None,
        "uri": f"{uri}.json",
    }


def media(account: str, message: TwilioMessage, sid: str) -> Json:
    """Describe one file of a message."""
    file = message.media[message.media_sids.index(sid)]
    return {
        "account_sid": account,
        "content_type": file.content_type,
        "date_created": format_datetime(message.created),
        "date_updated": format_datetime(message.created),
        "parent_sid": message.id,
        "sid": sid,
        "uri": f"{_base(account)}/Messages/{message.id}/Media/{sid}.json",
    }


def number(account: str, number: Number) -> Json:
    """Describe a phone number."""
    return {
        "account_sid": account,
        "address_requirements": "none",
        "address_sid": None,
        "api_version": "2010-04-01",
        "beta": False,
        "bundle_sid": None,
        "capabilities": {
            "voice": True,
            "sms": number.sms,
            "mms": number.mms,
            "fax": False,
        },
        "date_created": format_datetime(number.created),
        "date_updated": format_datetime(number.updated),
        "emergency_address_sid": None,
        "emergency_address_status": "unregistered",
        "emergency_status": "Inactive",
        "friendly_name": number.friendly_name or number.number,
        "identity_sid": None,
        "origin": "twilio",
        "phone_number": number.number,
        "sid": number.sid,
        "sms_application_sid": number.sms_application_sid,
        "sms_fallback_method": number.sms_fallback_method,
        "sms_fallback_url": number.sms_fallback_url,
        "sms_method": number.sms_method,
        "sms_url": number.sms_url,
        "status": "in-use",
        "status_callback": "",
        "status_callback_method": "POST",
        "trunk_sid": number.trunk_sid or None,
        "type": "local",
        "uri": f"{_base(account)}/IncomingPhoneNumbers/{number.sid}.json",
        "voice_application_sid": number.voice_application_sid,
        "voice_caller_id_lookup": False,
        "voice_fallback_method": "POST",
        "voice_fallback_url": None,
        "voice_method": number.voice_method,
        "voice_receive_mode": "voice",
        "voice_url": number.voice_url or None,
    }
