"""Render OVHcloud's objects with every field of their schema."""

from datetime import date, timedelta
from typing import TYPE_CHECKING, Final

from ..segments import Count, count
from ..world import now
from .schema import iso

if TYPE_CHECKING:
    from ..base import Json
    from .models import OvhMessage, Service

PTTS: Final = {
    0: ("No error", "permanent"),
    1: ("Temporary failure, being retried by the phone", "temporary"),
    2: ("Temporary failure, being retried by the operator", "temporary"),
    3: ("Accepted by the operator", "temporary"),
    4: ("Delivered", "permanent"),
    5: ("Undelivered", "permanent"),
    6: ("Unknown", "indeterminated"),
    8: ("Expired", "permanent"),
    10: ("Not enough credit", "permanent"),
    20: ("Bad number format", "permanent"),
    21: ("Subscriber out of credit", "temporary"),
    23: ("Bad or barred number", "permanent"),
    24: ("Subscriber absent", "temporary"),
    25: ("Network failure", "temporary"),
    26: ("Phone error", "temporary"),
    27: ("Handset failure", "temporary"),
    28: ("Taken for spam", "permanent"),
    29: ("Content refused", "permanent"),
    33: ("Parental lock", "permanent"),
    39: ("Operator failure", "temporary"),
    53: ("On the STOP list", "permanent"),
    54: ("Destination barred", "permanent"),
    73: ("Ported number", "permanent"),
    74: ("Roaming", "temporary"),
    254: ("Pending", "temporary"),
    255: ("Unknown", "indeterminated"),
}


def ptt(code: int) -> Json:
    """Describe a ptt."""
    text, duration = PTTS[code]
    return {"comment": text, "description": text, "duration": duration}


def account(service: Service) -> Json:
    """Describe an SMS account."""
    return {
        "automaticRecreditAmount": None,
        "callBack": service.call_back,
        "channel": "transactional",
        "creditThresholdForAutomaticRecredit": 0.0,
        "creditsHoldByQuota": 0.0,
        "creditsLeft": service.credits,
        "description": service.description,
        "iam": None,
        "name": service.name,
        "smpp": False,
        "smsResponse": {
            "cgiUrl": service.cgi_url,
            "responseType": service.response_type,
            "text": service.response_text,
            "trackingDefaultSmsSender": service.response_sender,
            "trackingOptions": service.response_options or [],
        },
        "status": "enable",
        "stopCallBack": service.stop_call_back,
        "templates": {
            "customizedEmailMode": False,
            "customizedSmsMode": False,
            "emailBody": None,
            "emailFrom": None,
            "emailSubject": None,
            "smsBody": None,
        }
        | service.templates,
        "userQuantityWithQuota": 0,
    }


def service_infos(domain: str, *, expired: bool) -> Json:
    """Describe the subscription of an account or a number."""
    days = timedelta(days=-3 if expired else 180)
    return {
        "canDeleteAtExpiration": True,
        "contactAdmin": "ab12345-ovh",
        "contactBilling": "ab12345-ovh",
        "contactTech": "ab12345-ovh",
        "creation": date(2024, 5, 1).isoformat(),
        "domain": domain,
        "engagedUpTo": None,
        "expiration": (now().date() + days).isoformat(),
        "possibleRenewPeriod": [1, 12],
        "renew": {
            "automatic": True,
            "deleteAtExpiration": False,
            "forced": False,
            "manualPayment": False,
            "period": 1,
        },
        "renewalType": "automaticV2016",
        "serviceId": 123456,
        "status": "expired" if expired else "ok",
    }


def sender(number: str) -> Json:
    """Describe a virtual number as a sender."""
    return {
        "comment": None,
        "description": "",
        "referer": "virtual",
        "sender": number,
        "status": "enable",
        "type": "virtual",
        "validationMedia": None,
    }


def incoming(message: OvhMessage) -> Json:
    """Describe a message received."""
    return {
        "creationDatetime": iso(message.created),
        "credits": message.credits,
        "id": message.id,
        "message": message.text,
        "sender": message.sender,
        "tag": message.tag,
    }


def virtual_job(message: OvhMessage) -> Json:
    """Describe a pending message of a virtual number."""
    return {
        "creationDatetime": iso(message.created),
        "credits": message.credits,
        "deliveryReceipt": message.receipt,
        "differedDelivery": message.differed,
        "id": message.id,
        "message": message.text,
        "messageLength": len(message.text),
        "numberOfSms": message.segments,
        "ptt": message.ptt,
        "receiver": message.to,
    }


def job(message: OvhMessage) -> Json:
    """Describe a pending message of a service."""
    sent, delivered = message.sent, message.delivered
    return virtual_job(message) | {
        "deliveredAt": None if delivered is None else iso(delivered),
        "sender": message.sender,
        "sentAt": None if sent is None else iso(sent),
    }


def outgoing(message: OvhMessage) -> Json:
    """Describe a message sent."""
    return job(message) | {
        "batchID": None,
        "messageID": None,
        "tag": message.tag,
        "tariffCode": "sms:fr",
    }


def estimate(text: str) -> Json:
    """Describe how a text would be cut."""
    counted: Count = count(text)
    return {
        "characters": counted.units,
        "charactersClass": "7bits" if counted.encoding == "GSM-7" else "unicode",
        "maxCharactersPerPart": counted.per_part,
        "parts": counted.segments,
    }


def rates(country: str) -> Json:
    """Describe the price of one SMS to a country."""
    price = {"currencyCode": "EUR", "text": "0.07 €", "value": 0.07}
    return {
        "country": country.upper(),
        "countryCode": country,
        "credit": 1.0,
        "price": price,
    }
