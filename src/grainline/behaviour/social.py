"""What is told of a social party's events: groups, and the families of features over them. Metadata only."""

from grainline.behaviour import measures as m
from grainline.behaviour.events import Party
from grainline.behaviour.families import Cells, Family, Mix, Ratio, Shares, Trends, Way
from grainline.behaviour.groups import Group, by_scene
from grainline.behaviour.measures import Unit

MONTHLY, SHORT, LONG = (30, 90, 180, 360), (7, 30, 90, 180, 360), (90, 180, 360, 540)

CONVERSATION = Group("conversation", "会话", "conversations", ("conversation",))
DIRECT, IN_GROUP = by_scene(
    "conversation", {"direct": ("单聊", "conversations with one"), "group": ("群聊", "conversations in a group")}
)
GROUP_ACTIVITY = Group("group_activity", "群活动", "doings in groups", ("group_activity",))
ADDED = Group("contact_added", "新增联系人", "contacts added", ("contact_added",))
REMOVED = Group("contact_removed", "删除联系人", "contacts removed", ("contact_removed",))
LOGIN = Group("login", "登录", "logins", ("login",))
NORMAL, ABNORMAL = by_scene(
    "login", {"normal": ("正常登录", "normal logins"), "abnormal": ("异常登录", "abnormal logins")}
)
RECEIVED, MADE = by_scene(
    "complaint", {"received": ("被投诉", "complaints received"), "made": ("发起投诉", "complaints made")}
)
VARIETY = (m.COUNTERPARTIES, m.NEW_COUNTERPARTIES, m.COUNTERPARTY_ENTROPY, m.TOP_COUNTERPARTY)
RHYTHM = (m.NIGHT_SHARE, m.WEEKEND_SHARE, m.HOUR_ENTROPY, m.GAP_MEAN, m.GAP_CV)

FAMILIES = (
    Family(
        "social_activity",
        Party.SOCIAL,
        "社交活跃",
        "Social activity: contacts, groups, and how lively they are",
        ("B1",),
        (
            Cells((CONVERSATION, DIRECT, IN_GROUP, GROUP_ACTIVITY), (m.COUNT, m.ACTIVE_DAYS, m.DAYS_SINCE_LAST), SHORT),
            Cells((ADDED, REMOVED), (m.COUNT, m.ACTIVE_DAYS, m.DAYS_SINCE_LAST), SHORT),
            Ratio(
                "contact.balance",
                "联系人增减平衡",
                "contacts added less removed, over both",
                (ADDED, m.COUNT),
                (REMOVED, m.COUNT),
                SHORT,
                Way.BALANCE,
                Unit.BALANCE,
            ),
            Trends((CONVERSATION, DIRECT, IN_GROUP, GROUP_ACTIVITY, ADDED, REMOVED), (m.COUNT, m.ACTIVE_DAYS)),
        ),
    ),
    Family(
        "conversation_health",
        Party.SOCIAL,
        "会话健康度",
        "Health of conversation: with how many, how evenly, and whether it lasts",
        ("B1",),
        (
            Cells((CONVERSATION, DIRECT, IN_GROUP, GROUP_ACTIVITY), VARIETY, SHORT),
            Shares((DIRECT, IN_GROUP), CONVERSATION, (m.COUNT,), SHORT),
            Mix("conversation.scene", "会话类型", "sorts of conversation", (DIRECT, IN_GROUP), m.COUNT, SHORT),
            Ratio(
                "conversation.per_contact",
                "每位联系人的会话次数",
                "conversations for each contact",
                (CONVERSATION, m.COUNT),
                (CONVERSATION, m.COUNTERPARTIES),
                SHORT,
            ),
            Ratio(
                "conversation.new_share",
                "会话中新联系人的占比",
                "part of the contacts that are new",
                (CONVERSATION, m.NEW_COUNTERPARTIES),
                (CONVERSATION, m.COUNTERPARTIES),
                SHORT,
                unit=Unit.SHARE,
            ),
            Trends((CONVERSATION, DIRECT, IN_GROUP, GROUP_ACTIVITY), (m.COUNTERPARTIES,)),
        ),
    ),
    Family(
        "social_rhythm",
        Party.SOCIAL,
        "社交作息",
        "Regular hours of conversations and logins",
        ("C5",),
        (Cells((CONVERSATION, DIRECT, IN_GROUP, GROUP_ACTIVITY, LOGIN), RHYTHM, SHORT),),
    ),
    Family(
        "logins",
        Party.SOCIAL,
        "登录环境",
        "Logins: how often, from how many devices and places",
        ("C5", "C6"),
        (
            Cells(
                (LOGIN, NORMAL),
                (m.COUNT, m.ACTIVE_DAYS, m.DEVICES, m.NEW_DEVICES, m.PLACES, m.NEW_PLACES, m.PLACE_ENTROPY),
                SHORT,
            ),
            Cells((LOGIN, NORMAL), (m.DAYS_SINCE_LAST,)),
            Trends((LOGIN,), (m.COUNT, m.ACTIVE_DAYS, m.DEVICES, m.PLACES)),
        ),
    ),
    Family(
        "negative_record",
        Party.SOCIAL,
        "负面记录",
        "Negative record: complaints and abnormal logins",
        ("C6",),
        (
            Cells(
                (ABNORMAL,),
                (m.COUNT, m.ACTIVE_DAYS, m.DEVICES, m.PLACES, m.NIGHT_SHARE, m.DAYS_SINCE_LAST),
                (*SHORT, 540),
            ),
            Shares((ABNORMAL,), LOGIN, (m.COUNT,), SHORT),
            Cells((RECEIVED, MADE), (m.COUNT, m.COUNTERPARTIES, m.DAYS_SINCE_LAST), (30, *LONG)),
            Trends((ABNORMAL, RECEIVED), (m.COUNT,), ((90, 360),)),
        ),
    ),
)
