"""What an attacker would try, over the whole house."""
