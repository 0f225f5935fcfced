"""Small things every room needs: money, calendar, ids, refusals, the database, the outbox. And no more."""
