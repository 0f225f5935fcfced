-- The chart of accounts, after the numbering of 企业会计准则应用指南 (1 assets, 2 liabilities, 4 equity, 6 income and
-- expense); 9 are memorandum accounts (表外科目), which stand beside the balance sheet. A house account's sub-account is the
-- product.
insert into ledger.accounts (code, name_zh, name_en, kind, holder) values
    ('1002', '存放清算款', 'Rail clearing', 'asset', 'house'),
    ('1301', '贷款本金', 'Loan principal', 'asset', 'member'),
    ('1302', '应收利息', 'Interest receivable', 'asset', 'member'),
    ('1303', '放款在途', 'Draws being paid out', 'asset', 'member'),
    ('1305', '应计利息', 'Accrued interest', 'asset', 'house'),
    ('1306', '应计罚息', 'Accrued penalty interest', 'asset', 'house'),
    ('2202', '应付放款', 'Payouts payable', 'liability', 'member'),
    ('2241', '溢缴款', 'Suspense', 'liability', 'member'),
    ('2242', '应付退款', 'Refunds payable', 'liability', 'member'),
    ('4104', '未分配利润', 'Retained earnings', 'equity', 'house'),
    ('6011', '利息收入', 'Interest income', 'income', 'house'),
    ('6012', '罚息收入', 'Penalty interest income', 'income', 'house'),
    ('6013', '利息优惠', 'Interest discounts', 'income', 'house'),
    ('6021', '手续费收入', 'Fee income', 'income', 'house'),
    ('6301', '已核销贷款收回', 'Recoveries of written-off loans', 'income', 'house'),
    ('6702', '信用减值损失', 'Credit impairment loss', 'expense', 'house'),
    ('6711', '减免支出', 'Waivers', 'expense', 'house'),
    ('9001', '已核销债权', 'Written-off claims', 'memo', 'member'),
    ('9002', '已核销债权对应', 'Written-off claims, contra', 'memo', 'house'),
    ('9003', '表外应收利息', 'Interest off the balance sheet', 'memo', 'member'),
    ('9004', '表外应收利息对应', 'Interest off the balance sheet, contra', 'memo', 'house')
on conflict (code) do update set name_zh = excluded.name_zh, name_en = excluded.name_en;
