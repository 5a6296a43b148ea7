"""The actions: one table, from which they are dispatched and described (IQ-010)."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from importlib import import_module
from typing import Any

from vitals.usecases.context import Answer, Context
from vitals.usecases.inputs import Input, read

READ = ("customers:read",)
WRITE = ("customers:write",)
HEALTH = ("health:read",)
REPORT = ("customers:read", "health:read")
RESCORE = ("health:write",)
MODEL = ("health:write", "admin:*")
ADMIN = ("admin:*",)
PLATFORM = ("platform:*",)


@dataclass(frozen=True, slots=True)
class Action:
    """One action: what it does, what it takes, and who may call it.

    The use-case is the function of the action's *name* in *module*, what it takes the class called
    *input* there. It is imported when it is first called: a start pays for what it answers alone.
    A *writes* action goes by POST alone (AMB-14). Without *scopes* it is any good key's.
    """

    name: str
    module: str
    purpose: str
    input: str = "Input"
    scopes: tuple[str, ...] = READ
    writes: bool = False

    @property
    def run(self) -> Callable[[Context, Mapping[str, Any]], Answer]:
        """Return the use-case."""
        found: Callable[[Context, Mapping[str, Any]], Answer] = getattr(self._module, self.name)
        return found

    @property
    def takes(self) -> type[Input]:
        """Return the parameters of the use-case."""
        found: type[Input] = getattr(self._module, self.input)
        return found

    @property
    def methods(self) -> tuple[str, ...]:
        """Return the methods by which the action is called."""
        return ("POST",) if self.writes else ("GET", "POST")

    @property
    def _module(self) -> Any:
        here = self.module == __name__
        return import_module(self.module if here else f"vitals.usecases.{self.module}")


def whoami(context: Context, given: Mapping[str, Any]) -> Answer:
    """Return the key that calls and the tenant that it belongs to."""
    from vitals.usecases.api_keys import key_view  # noqa: PLC0415 - few calls need it

    _, warnings, _ = read(Input, given)
    return {
        "action": "whoami",
        "data": {
            **key_view(context.key),
            # What authenticates is a key; which of the two kinds, its prefix says.
            "type": "api_key",
            "tenant_name": context.tenant.name,
            "sandbox": context.tenant.sandbox_of is not None,
            "time_zone": context.model.time_zone,
        },
        "warnings": warnings,
    }


def list_actions(context: Context, given: Mapping[str, Any]) -> Answer:
    """Return every action with its methods, scopes and parameters, and the tenant's signals."""
    _, warnings, _ = read(Input, given)
    return {
        "action": "list_actions",
        "data": [
            {
                "action": name,
                "purpose": action.purpose,
                "methods": list(action.methods),
                "scopes": list(action.scopes),
                "parameters": _parameters(action, context),
            }
            for name, action in ACTIONS.items()
        ],
        "signals": [
            {
                "name": signal.name,
                "aliases": list(signal.aliases),
                "minimum": signal.minimum,
                "maximum": signal.maximum,
                "options": signal.options,
                "dimension": signal.dimension,
            }
            for signal in context.model.signals
        ],
        "warnings": warnings,
    }


def _parameters(action: Action, context: Context) -> dict[str, Any]:
    """Return the JSON Schema of what *action* takes, the model's signals among it."""
    from vitals.usecases.customer_input import CustomerInput  # noqa: PLC0415 - as above

    schema = action.takes.model_json_schema()
    if issubclass(action.takes, CustomerInput):
        for signal in context.model.signals:
            kind = {"enum": list(signal.options)} if signal.options else {"type": "number"}
            schema["properties"][signal.name] = kind
    return schema


_ALL = (
    Action("list_customers", "list_customers", "Customers by filter, sorted, by page", "ListInput"),
    Action("get_customer", "get_customer", "One customer by id, external_id or name", "GetInput"),
    Action("upsert_account", "upsert_account", "Create or update a customer; rescored",
           "UpsertInput", WRITE, writes=True),
    Action("update_health", "update_health", "Set one field of a customer",
           "UpdateHealthInput", WRITE, writes=True),
    Action("delete_customer", "delete_customer", "Delete a customer, recoverable for 30 days",
           "DeleteInput", WRITE, writes=True),
    Action("restore_customer", "restore_customer", "Restore a deleted customer",
           "WriteReference", WRITE, writes=True),
    Action("score_customer", "score_customer", "Score a customer anew, override cleared",
           "WriteReference", WRITE, writes=True),
    Action("log_contact", "log_contact", "Record a contact with a customer",
           "ContactInput", WRITE, writes=True),
    Action("batch_upsert", "batch_upsert", "Upsert up to 1000 customers, each by itself",
           "BatchInput", WRITE, writes=True),
    Action("list_changes", "list_changes", "The feed of changes, newest first", "ChangesInput"),
    Action("get_history", "list_changes", "One customer's changes, explained", "HistoryInput"),
    Action("get_distribution", "get_distribution", "How the customers spread over the bands",
           scopes=HEALTH),
    Action("get_config", "config", "The model in force, and the tenant's limits", scopes=HEALTH),
    Action("update_config", "config", "Change the model or the limits; rescored by a job",
           "ConfigInput", MODEL, writes=True),
    Action("list_models", "models", "Every version of the model", "Page", HEALTH),
    Action("get_model", "models", "One version of the model", "ModelInput", HEALTH),
    Action("restore_model", "models", "Make an old version the newest again",
           "RestoreModelInput", MODEL, writes=True),
    Action("list_config_history", "models", "Who changed which setting, from what to what",
           "ConfigHistoryInput", ADMIN),
    Action("list_profiles", "profiles", "Named weights, and the rules that assign them",
           "ProfilesInput", HEALTH),
    Action("put_profile", "profiles", "Create or replace a profile",
           "PutProfileInput", MODEL, writes=True),
    Action("delete_profile", "profiles", "Remove a profile that nobody has",
           "ProfileInput", MODEL, writes=True),
    Action("rescore_all", "rescore", "Score every customer, or some, by a job",
           "RescoreInput", RESCORE, writes=True),
    Action("get_job", "jobs", "One job: its progress and its result", "JobInput", HEALTH),
    Action("list_jobs", "jobs", "The tenant's jobs, newest first", "JobsInput", HEALTH),
    Action("cancel_job", "jobs", "Stop a job before it is done",
           "CancelInput", RESCORE, writes=True),
    Action("list_alerts", "alerts", "The feed: what fired, of whom, and why",
           "AlertsInput", HEALTH),
    Action("get_alert", "alerts", "One alert, whatever became of it", "AlertInput", HEALTH),
    Action("snooze_alerts", "act_on_alerts", "Hide alerts for some days",
           "SnoozeInput", RESCORE, writes=True),
    Action("dismiss_alerts", "act_on_alerts", "Close this occurrence of alerts",
           "ActInput", RESCORE, writes=True),
    Action("wake_alerts", "act_on_alerts", "Show snoozed or dismissed alerts again",
           "ActInput", RESCORE, writes=True),
    Action("acknowledge_alerts", "act_on_alerts", "Take note of alerts: they go up to nobody",
           "ActInput", RESCORE, writes=True),
    Action("list_alert_rules", "rules", "The alert rules, the built-in ones too", scopes=HEALTH),
    Action("put_alert_rule", "rules", "Create or change an alert rule",
           "AlertRuleInput", MODEL, writes=True),
    Action("toggle_alert_rule", "rules", "Switch an alert rule on or off",
           "ToggleInput", MODEL, writes=True),
    Action("delete_alert_rule", "rules", "Delete an alert rule for good",
           "RuleReference", MODEL, writes=True),
    Action("list_custom_rules", "rules", "The rules of your own conditions", scopes=HEALTH),
    Action("put_custom_rule", "rules", "Create or change a custom rule",
           "CustomRuleInput", MODEL, writes=True),
    Action("toggle_custom_rule", "rules", "Switch a custom rule on or off",
           "ToggleInput", MODEL, writes=True),
    Action("delete_custom_rule", "rules", "Delete a custom rule for good",
           "RuleReference", MODEL, writes=True),
    Action("preview_alert_rule", "preview_rule", "What a rule would have fired, and holds of now",
           "PreviewRuleInput", RESCORE, writes=True),
    Action("redrive", "redrive", "Raise and tell what is missing of a range of time",
           "RedriveInput", ADMIN, writes=True),
    Action("list_event_types", "event_catalogue", "What webhooks tell, with schema and example",
           scopes=()),
    Action("sample_events", "event_catalogue", "Events of one type, as they are sent",
           "SampleInput"),
    Action("list_connections", "connections", "Where messages go, and how it does there",
           scopes=ADMIN),
    Action("put_connection", "connections", "Create or change a connection",
           "PutConnectionInput", ADMIN, writes=True),
    Action("toggle_connection", "connections", "Switch a connection on or off",
           "ToggleConnectionInput", ADMIN, writes=True),
    Action("delete_connection", "connections", "Delete a connection that nothing names",
           "DeleteConnectionInput", ADMIN, writes=True),
    Action("test_connection", "connections", "Send a test, and see what the receiver says",
           "ConnectionReference", ADMIN, writes=True),
    Action("rotate_webhook_secret", "connections", "A new secret; both sign for a while",
           "RotateSecretInput", ADMIN, writes=True),
    Action("list_webhook_subscriptions", "subscriptions", "Webhooks that hear of events",
           scopes=ADMIN),
    Action("put_webhook_subscription", "subscriptions", "Create or change a subscription",
           "PutSubscriptionInput", ADMIN, writes=True),
    Action("toggle_webhook_subscription", "subscriptions", "Switch a subscription on or off",
           "ToggleSubscriptionInput", ADMIN, writes=True),
    Action("delete_webhook_subscription", "subscriptions", "Delete a subscription",
           "DeleteConnectionInput", ADMIN, writes=True),
    Action("subscribe", "subscriptions", "Subscribe a REST hook, as Zapier does",
           "SubscribeInput", ADMIN, writes=True),
    Action("unsubscribe", "subscriptions", "Take a REST hook back",
           "ConnectionReference", ADMIN, writes=True),
    Action("list_managers", "managers", "Whom alerts reach over which connections", scopes=ADMIN),
    Action("put_manager", "managers", "Give a manager connections",
           "PutManagerInput", ADMIN, writes=True),
    Action("delete_manager", "managers", "Take a manager's connections away",
           "ManagerInput", ADMIN, writes=True),
    Action("list_deliveries", "deliveries", "What was sent where, newest first",
           "DeliveriesInput", ADMIN),
    Action("get_delivery", "deliveries", "One delivery: what is sent, and every attempt",
           "DeliveryInput", ADMIN),
    Action("replay_delivery", "deliveries", "Send a delivery once more",
           "ReplayInput", ADMIN, writes=True),
    Action("get_portfolio", "analytics", "How the portfolio stands, and whom to call first",
           "PortfolioInput", REPORT),
    Action("get_trend", "analytics", "A metric day by day, and who moved it",
           "TrendInput", REPORT),
    Action("get_segments", "analytics", "The figures of every tag, tier and stage",
           "PortfolioInput", REPORT),
    Action("get_csm_performance", "analytics", "The managers' books side by side",
           "PerformanceInput", REPORT),
    Action("get_renewals", "analytics", "What renews by month, and what of it is at risk",
           "RenewalsInput", REPORT),
    Action("get_cohorts", "analytics", "How many stayed of those who came together",
           "CohortsInput", REPORT),
    Action("run_report", "reports", "A report as JSON or CSV, or a link to it",
           "RunInput", REPORT, writes=True),
    Action("send_report", "reports", "Send a report now",
           "SendInput", ADMIN, writes=True),
    Action("send_test", "reports", "Send a report as a test",
           "SendInput", ADMIN, writes=True),
    Action("export_customers", "reports", "Every customer as CSV, also to edit and send back",
           "ExportInput", READ, writes=True),
    Action("list_report_schedules", "report_schedules", "Which report goes where, and when",
           scopes=ADMIN),
    Action("put_report_schedule", "report_schedules", "Create or change a report schedule",
           "ScheduleInput", ADMIN, writes=True),
    Action("toggle_report_schedule", "report_schedules", "Pause a report schedule, or go on",
           "ToggleScheduleInput", ADMIN, writes=True),
    Action("delete_report_schedule", "report_schedules", "Delete a report schedule",
           "ScheduleReference", ADMIN, writes=True),
    Action("get_branding", "branding", "How reports look", scopes=HEALTH),
    Action("put_branding", "branding", "Change how reports look",
           "BrandingInput", ADMIN, writes=True),
    Action("create_api_key", "api_keys", "Create an API key; shown once",
           "CreateKeyInput", ADMIN, writes=True),
    Action("list_api_keys", "api_keys", "The tenant's API keys, with last use", scopes=ADMIN),
    Action("rotate_api_key", "api_keys", "Replace an API key, both good for a while",
           "RotateInput", ADMIN, writes=True),
    Action("revoke_api_key", "api_keys", "Close an API key for good",
           "KeyInput", ADMIN, writes=True),
    Action("list_audit", "list_audit", "Who did what, when, from where", "AuditInput", ADMIN),
    Action("list_requests", "list_requests", "The log of requests, for 30 days",
           "RequestsInput", ADMIN),
    Action("create_tenant", "tenants", "Create a tenant, its sandbox and its first key",
           "CreateTenantInput", PLATFORM, writes=True),
    Action("list_tenants", "tenants", "Every tenant, newest first", "Page", PLATFORM),
    Action("update_tenant", "tenants", "Name a tenant anew, or set its limits",
           "UpdateTenantInput", PLATFORM, writes=True),
    Action("suspend_tenant", "tenants", "Close a tenant to every request, or open it again",
           "SuspendInput", PLATFORM, writes=True),
    Action("delete_tenant", "tenants", "Erase a tenant and everything of it, by a job",
           "DeleteTenantInput", PLATFORM, writes=True),
    Action("list_actions", "action_table", "What can be called, and how", scopes=()),
    Action("whoami", "action_table", "Whose key this is and what it may do", scopes=()),
)  # fmt: skip
ACTIONS: Mapping[str, Action] = {action.name: action for action in _ALL}
