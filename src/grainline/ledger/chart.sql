-- The chart of accounts, after the numbering of 企业会计准则应用指南 (1 assets, 2 liabilities, 6 income and expense).
insert into ledger.accounts (code, name_zh, name_en, kind, holder) values
    ('1002', '存放清算款', 'Rail clearing', 'asset', 'house'),
    ('1301', '贷款本金', 'Loan principal', 'asset', 'member'),
    ('1302', '应收利息', 'Interest receivable', 'asset', 'member'),
    ('1303', '放款在途', 'Draws being paid out', 'asset', 'member'),
    ('2202', '应付放款', 'Payouts payable', 'liability', 'member'),
    ('6011', '利息收入', 'Interest income', 'income', 'house')
on conflict (code) do update set name_zh = excluded.name_zh, name_en = excluded.name_en;

insert into ledger.house_balances (account, balance_fen, through_entry)
select code, 0, 0 from ledger.accounts where holder = 'house'
on conflict (account) do nothing;
