-- Rules say every convention by name. Until now instalments fell due on the day of the month of the draw, working day or
-- not: what is kept says so from now on.
update loans.rule_sets set content =
    '{"due_day": null, "first_period": "short", "first_period_min_days": 0, "business_day_convention": "none",
      "holiday_table": null}'::jsonb || content;
