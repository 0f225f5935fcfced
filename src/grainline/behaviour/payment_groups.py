"""Groups of a payment party's events."""

from grainline.behaviour.groups import Group, Mark, by_scene

PAYMENT = Group("payment", "支付", "payments", ("payment",))
SCENES = by_scene(
    "payment",
    {
        "groceries": ("日用消费", "payments for groceries"),
        "dining": ("餐饮消费", "payments for dining"),
        "transport": ("交通消费", "payments for transport"),
        "fuel": ("加油消费", "payments for fuel"),
        "health": ("医疗消费", "payments for health"),
        "education": ("教育消费", "payments for education"),
        "entertainment": ("娱乐消费", "payments for entertainment"),
        "travel": ("旅行消费", "payments for travel"),
        "apparel": ("服饰消费", "payments for apparel"),
        "electronics": ("数码消费", "payments for electronics"),
        "home": ("家居消费", "payments for the home"),
        "digital": ("虚拟商品消费", "payments for digital goods"),
        "luxury": ("奢侈品消费", "payments for luxury"),
        "lottery": ("彩票消费", "payments for lotteries"),
        "lender": ("向其他贷款机构还款", "payments to lenders"),
    },
)
ESSENTIAL = Group(
    "payment.essential",
    "必需消费",
    "essential payments",
    ("payment",),
    ("groceries", "transport", "fuel", "health", "education", "home"),
)
LEISURE = Group(
    "payment.leisure",
    "享受型消费",
    "payments for leisure",
    ("payment",),
    ("dining", "entertainment", "travel", "apparel", "digital", "luxury"),
)
LARGE = Group("payment.large", "大额支付", "payments of at least 1,000 yuan", ("payment",), marks=Mark.LARGE)
TOOLS = tuple(
    Group(f"payment.by_{tool}", f"{zh}支付", f"payments by {en}", ("payment",), tools=(tool,))
    for tool, zh, en in (
        ("balance", "余额", "wallet balance"),
        ("money_market", "零钱通", "money-market balance"),
        ("debit_card", "借记卡", "debit card"),
        ("credit_card", "信用卡", "credit card"),
        ("pay_later", "先用后付", "pay-later"),
    )
)
SENT = Group("red_packet_sent", "发出红包", "red packets sent", ("red_packet_sent",))
RECEIVED = Group("red_packet_received", "收到红包", "red packets received", ("red_packet_received",))
TRANSFER_OUT = Group("transfer_out", "转出", "transfers out", ("transfer_out",))
TRANSFER_IN = Group("transfer_in", "转入", "transfers in", ("transfer_in",))
IN_SCENES = by_scene(
    "transfer_in",
    {
        "salary": ("工资入账", "salaries received"),
        "person": ("个人转入", "transfers from persons"),
        "business": ("企业转入", "transfers from businesses"),
    },
)
SALARY = IN_SCENES[0]
OUTFLOW = Group(
    "outflow",
    "资金流出",
    "outflows (payments, bills, red packets, transfers)",
    ("payment", "red_packet_sent", "transfer_out", "bill_paid"),
)
INFLOW = Group("inflow", "资金流入", "inflows (transfers, red packets)", ("transfer_in", "red_packet_received"))
NIGHT_OUTFLOW = Group(
    "outflow.large_night",
    "夜间大额流出",
    "outflows of at least 1,000 yuan at night",
    ("payment", "red_packet_sent", "transfer_out"),
    marks=Mark.LARGE | Mark.NIGHT,
)
MONEY_MARKET = Group("money_market", "零钱通", "money-market fund", ("money_market_in", "money_market_out"))
MM_IN = Group("money_market_in", "零钱通转入", "money-market purchases", ("money_market_in",))
MM_OUT = Group("money_market_out", "零钱通转出", "money-market withdrawals", ("money_market_out",))
WEALTH = Group("wealth", "理财", "wealth products", ("wealth_buy", "wealth_redeem"))
WEALTH_BUY = Group("wealth_buy", "理财买入", "wealth-product purchases", ("wealth_buy",))
WEALTH_REDEEM = Group("wealth_redeem", "理财赎回", "wealth-product redemptions", ("wealth_redeem",))
FAST = tuple(
    Group(
        f"{out}.fast_{hours}h",
        f"转入后{hours}小时内的大额{zh}",
        f"{en} of at least 1,000 yuan within {hours} hours of money coming in",
        (out,),
        marks=Mark.LARGE | mark,
    )
    for out, zh, en in (
        ("money_market_out", "零钱通转出", "money-market withdrawals"),
        ("transfer_out", "转出", "transfers out"),
    )
    for hours, mark in ((24, Mark.WITHIN_24H), (72, Mark.WITHIN_72H))
)
BILL = Group("bill_paid", "缴费", "bills paid", ("bill_paid",))
BILLS = by_scene(
    "bill_paid",
    {
        "electricity": ("电费缴纳", "electricity bills paid"),
        "water": ("水费缴纳", "water bills paid"),
        "gas": ("燃气费缴纳", "gas bills paid"),
        "internet": ("宽带费缴纳", "internet bills paid"),
        "phone": ("话费缴纳", "phone bills paid"),
        "rent": ("房租缴纳", "rents paid"),
        "card": ("信用卡还款", "card bills paid"),
    },
)
RIDE = Group("ride", "出行", "rides", ("ride",))
RIDES = by_scene(
    "ride",
    {
        "metro": ("地铁出行", "metro rides"),
        "bus": ("公交出行", "bus rides"),
        "taxi": ("打车出行", "taxi rides"),
        "bike": ("骑行", "bike rides"),
        "train": ("火车出行", "train rides"),
    },
)
