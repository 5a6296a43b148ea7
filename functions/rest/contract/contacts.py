"""Contacts: their shape, and what is said of the operations on them (LU-040, 041)."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import Field

from contract.shape import CURSOR, LEFT_OUT, Described, Id, Instant, Link, Page, Sent, Shape, limit

Name = Annotated[str, Field(min_length=1, max_length=200, examples=["Maria Lopez"])]
Email = Annotated[str, Field(min_length=3, max_length=254, examples=["maria@acme.example"])]
Title = Annotated[str, Field(min_length=1, max_length=200, examples=["VP of Operations"])]
Phone = Annotated[
    str,
    Field(pattern=r"^\+[0-9]{8,15}$", examples=["+14155550123"], description="E.164: + and digits"),
]
Champion = Annotated[bool, Field(examples=[True], description="Speaks up for you")]


class Contact(Shape):
    """A person at a customer."""

    id: Id
    customer_id: Id
    name: Name
    email: Email | None
    title: Title | None
    is_champion: Champion
    whatsapp_number: Phone | None
    created_at: Instant
    updated_at: Instant
    version: Annotated[
        int, Field(ge=1, examples=[4], description="The customer's; its ETag is this number")
    ]


class ContactPage(Page):
    """One page of contacts."""

    data: list[Contact]


class ContactCreate(Sent):
    """A new contact."""

    name: Name
    email: Email | None = LEFT_OUT
    title: Title | None = LEFT_OUT
    is_champion: Champion = LEFT_OUT
    whatsapp_number: Phone | None = LEFT_OUT


class ContactUpdate(ContactCreate):
    """What is to change; what is left out stays, null clears (RFC 7396)."""

    name: Name = LEFT_OUT


_IDS = {"customer_id": "$response.body#/customer_id", "contact_id": "$response.body#/id"}
_LINKS = {name: Link(name, _IDS) for name in ("getContact", "updateContact", "deleteContact")}
NEW: dict[str, Any] = {
    "name": "Maria Lopez",
    "email": "maria@acme.example",
    "title": "VP of Operations",
    "is_champion": True,
    "whatsapp_number": "+14155550123",
}

DESCRIBED = {
    "listContacts": Described(
        summary="List contacts",
        tag="Contacts",
        description="Of one customer, the oldest first.",
        query=(limit(), CURSOR),
        answers={200: ContactPage},
    ),
    "createContact": Described(
        summary="Create a contact",
        tag="Contacts",
        description="A customer has at most 100, and each e-mail address once: 409 otherwise.",
        body=ContactCreate,
        body_examples={"new": NEW},
        answers={201: Contact},
        refusals=(409,),
        headers=("ETag", "Location"),
        links=_LINKS,
    ),
    "getContact": Described(
        summary="One contact", tag="Contacts", answers={200: Contact}, headers=("ETag",)
    ),
    "updateContact": Described(
        summary="Change a contact",
        tag="Contacts",
        description="A JSON Merge Patch (RFC 7396): what is left out stays, null clears.",
        body=ContactUpdate,
        body_examples={"promoted": {"title": "COO", "whatsapp_number": None}},
        answers={200: Contact},
        refusals=(409,),
        versioned=True,
        headers=("ETag",),
    ),
    "deleteContact": Described(
        summary="Delete a contact",
        tag="Contacts",
        description="At once. The customer's history says who it was until the customer is erased.",
        answers={204: None},
        versioned=True,
    ),
}
