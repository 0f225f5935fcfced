"""The federated credit model: the lender and the data parties train and use one model, and no one hands over a record.

The guest is the lender, who holds the labels and the keys; a host is a data party, who holds features. Runs at the
parties too: it imports nothing of ours but `kit`.
"""
